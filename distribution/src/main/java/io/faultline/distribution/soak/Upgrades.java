// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.kernel.Drivers;
import io.faultline.kernel.UpgradeException;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/** Two versions of each driver take over from each other, under full load. */
final class Upgrades {
  private static final int THREADS = 4;
  /** So many of the first upgrades warm the JVM up, before its heap is looked at. */
  private static final int WARM = 20;

  /** Makes a thread's work with a driver. */
  @FunctionalInterface
  private interface Kind {
    Work work(Machine machine, Meter meter, int thread) throws ErrnoException;
  }

  /** A driver, and what is done with it. */
  private enum Target {
    SCULLP((machine, meter, t) -> new PageWork(machine, meter, "/dev/scullp" + t, 0, 1000L * t)),
    FRAMEBUFFER(
        (machine, meter, t) -> new PageWork(machine, meter, "/dev/fb0", t * PageWork.PAGES,
            7000L + 1000L * t)),
    RING((machine, meter, t) -> new RingWork(machine, meter, "/dev/ring" + t));

    final Kind kind;

    Target(Kind kind) {
      this.kind = kind;
    }

    String jar() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** A driver in its turns. */
  private static final class Turns {
    final Target target;
    final byte[][] jars;
    final long[] stalls;
    final long[] longest;
    Bundle current;
    int done;

    Turns(Target target, byte[][] jars, Bundle first, int count) {
      this.target = target;
      this.jars = jars;
      this.current = first;
      this.stalls = new long[count];
      this.longest = new long[count];
    }

    String line() {
      return String.format(
          Locale.ROOT, "%-18s %7d  %8.2f %8.2f %8.2f  %8.2f %8.2f %8.2f", target.jar(), done,
          percentile(stalls, 50), percentile(stalls, 99), percentile(stalls, 100),
          percentile(longest, 50), percentile(longest, 99), percentile(longest, 100));
    }
  }

  private final Installer installer;
  private final Machine machine;
  private final Drivers drivers;
  private final Progress progress;
  private final Versions versions;
  private final List<Turns> turns = new ArrayList<>();
  private final List<Load> loads = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final Heap heap = new Heap();

  Upgrades(
      Installer installer, Machine machine, Drivers drivers, Versions versions,
      Progress progress) {
    this.installer = installer;
    this.machine = machine;
    this.drivers = drivers;
    this.versions = versions;
    this.progress = progress;
  }

  /**
   * Runs them.
   *
   * @param count for each driver
   * @return what was seen
   */
  Result run(int count) throws Exception {
    long began = System.nanoTime();
    try {
      for (Target target : Target.values()) {
        byte[][] jars = {
          versions.of(target.jar(), "1000.0.1"), versions.of(target.jar(), "1000.0.2")};
        Bundle first = installer.install(target.jar(), jars[0]);
        turns.add(new Turns(target, jars, first, count));
        Installer.await(target.jar(), () -> !installer.devices(first).isEmpty());
      }
      begin();
      for (int i = 0; i < count; i++) {
        if (i >= warm(count) && Heap.isDue(i - warm(count), count - warm(count))) {
          look();
        }
        for (Turns each : turns) {
          upgrade(each, i);
        }
        progress.show(
            "upgrades", i + 1, count, "of each driver, " + sum(m -> m.failed.get()) + " failed, "
                + sum(m -> m.wrong.get()) + " wrong");
      }
      look();
    } finally {
      end();
    }
    return new Result(count, (System.nanoTime() - began) / 1e9);
  }

  private void begin() throws ErrnoException {
    for (int t = 0; t < THREADS; t++) {
      Meter meter = new Meter();
      List<Work> works = new ArrayList<>();
      for (Turns each : turns) {
        works.add(each.target.kind.work(machine, meter, t));
      }
      Load load = new Load(meter, works);
      loads.add(load);
      threads.add(Thread.ofPlatform().name("soak-" + t).start(load));
    }
  }

  private void upgrade(Turns each, int i)
      throws BundleException, SoakFailedException {
    loads.forEach(load -> load.meter().longest.set(0));
    Bundle next = installer.install(each.target.jar(), each.jars[(i + 1) % 2]);
    Installer.await(
        "its services", () -> installer.providers(next) >= installer.providers(each.current));
    try {
      each.stalls[i] =
          drivers.upgrade(each.current.getBundleId(), next.getBundleId()).stallNanos();
    } catch (UpgradeException e) {
      throw new SoakFailedException(
          "soak: upgrade %d of %s failed: %s".formatted(i + 1, each.target.jar(), e.getMessage()));
    }
    installer.uninstall(each.current);
    each.current = next;
    each.done++;
    each.longest[i] =
        loads.stream().mapToLong(load -> load.meter().longest.get()).max().orElse(0);
  }

  private void end() throws InterruptedException, BundleException {
    loads.forEach(Load::stop);
    for (Thread thread : threads) {
      thread.join();
    }
    progress.end();
    loads.forEach(Load::close);
    for (Turns each : turns) {
      String name = each.current.getSymbolicName();
      installer.uninstall(each.current);
      // Memory that outlives drivers.
      int unused = drivers.forget(name);
    }
  }

  /** When nobody makes garbage. */
  private void look() throws InterruptedException {
    loads.forEach(Load::pause);
    heap.look(installer.remains().uninstalled());
    installer.remains().forget();
    loads.forEach(Load::resume);
  }

  private long sum(java.util.function.ToLongFunction<Meter> count) {
    return loads.stream().map(Load::meter).mapToLong(count).sum();
  }

  /** How many of the upgrades of each driver come before the first look at the heap. */
  private static int warm(int count) {
    return Math.min(count / 2, WARM);
  }

  private static double percentile(long[] nanos, int percent) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    int at = Math.clamp((int) Math.ceil(sorted.length * percent / 100.0) - 1, 0, sorted.length - 1);
    return sorted[at] / 1e6;
  }

  /** What was seen. */
  final class Result {
    private final int count;
    private final double seconds;

    private Result(int count, double seconds) {
      this.count = count;
      this.seconds = seconds;
    }

    /** What must not be; nothing, if all is well. */
    List<String> faults() {
      List<String> faults = new ArrayList<>();
      long failed = sum(m -> m.failed.get());
      if (failed > 0) {
        faults.add(failed + " accesses failed, the first: " + firstFailure());
      }
      long wrong = sum(m -> m.wrong.get());
      if (wrong > 0) {
        faults.add(wrong + " accesses saw wrong bytes, the first: " + firstFailure());
      }
      faults.addAll(heap.faults());
      return faults;
    }

    private String firstFailure() {
      return loads.stream().map(load -> load.meter().firstFailure)
          .filter(failure -> !failure.isEmpty()).findFirst().orElse("not noted");
    }

    String table() {
      return String.format(
          Locale.ROOT,
          """
          upgrades           %d of each of %d drivers in %.1f s, %d threads
          accesses           %d, of these %d faults at least
          failed accesses    %d
          wrong bytes        in %d accesses
                                       stall, ms                   longest access, ms
          driver            upgrades       p50      p99      max       p50      p99      max
          %s
          %s""",
          count, turns.size(), seconds, THREADS, sum(m -> m.accesses.get()),
          sum(m -> m.faults.get()), sum(m -> m.failed.get()), sum(m -> m.wrong.get()),
          turns.stream().map(Turns::line).collect(
              Collectors.joining(System.lineSeparator())),
          heap.line());
    }
  }
}
