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
  /** What an undisturbed JVM's heap may grow and shrink by. */
  private static final long HEAP_SLACK = 8L << 20;
  /**
   * What Felix 7.0.5 remembers of each bundle that was uninstalled, about: its registry of services
   * keeps a usage count of 0 for each service that the bundle used and that is still there, and with
   * it the bundle's headers (not its classes); so do felix.log's loggers.
   */
  private static final long FELIX_PER_BUNDLE = 8L << 10;

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
  private long heapBefore;
  private long heapAfter;

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
        if (i == warm(count)) {
          heapBefore = heap();
        }
        for (Turns each : turns) {
          upgrade(each, i);
        }
        progress.show(
            "upgrades", i + 1, count, "of each driver, " + sum(m -> m.failed.get()) + " failed, "
                + sum(m -> m.wrong.get()) + " wrong");
      }
      heapAfter = heap();
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

  /** What is in use when nobody makes garbage. */
  private long heap() throws InterruptedException {
    loads.forEach(Load::pause);
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      // Cleaners run after a collection, and what they let go of goes with the next one.
      Thread.sleep(20);
      Runtime runtime = Runtime.getRuntime();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    loads.forEach(Load::resume);
    return least;
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
      long allowed = HEAP_SLACK + uninstalled() * FELIX_PER_BUNDLE;
      if (heapAfter - heapBefore > allowed) {
        faults.add(
            "the heap grew by %d KiB; %d uninstalled bundles account for %d".formatted(
                heapAfter - heapBefore >> 10, uninstalled(), allowed >> 10));
      }
      return faults;
    }

    /** Bundles of old versions, between the two looks at the heap. */
    private long uninstalled() {
      return (count - warm(count)) * (long) turns.size();
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
          heap after GC      %.1f MiB after %d upgrades of each, %.1f MiB at the end; %d bundles were
                             uninstalled between, %.1f KiB for each (Felix keeps about 8)""",
          count, turns.size(), seconds, THREADS, sum(m -> m.accesses.get()),
          sum(m -> m.faults.get()), sum(m -> m.failed.get()), sum(m -> m.wrong.get()),
          turns.stream().map(Turns::line).collect(
              Collectors.joining(System.lineSeparator())),
          heapBefore / (double) (1 << 20), warm(count),
          heapAfter / (double) (1 << 20), uninstalled(),
          (heapAfter - heapBefore) / 1024.0 / uninstalled());
    }
  }
}
