// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.distribution.driver.DropIn;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Drivers;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UpgradeException;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code soak}, for the shell and for the distribution's script. */
@Component(service = SoakCommand.class)
@GogoCommand(scope = "faultline", function = "soak")
public final class SoakCommand {
  private static final int THREADS = 4;
  private static final String DEVICE = "/dev/scullp";
  private static final long PATIENCE_NANOS = 20_000_000_000L;
  /** What an undisturbed JVM's heap may grow and shrink by. */
  private static final long HEAP_SLACK = 8L << 20;

  private final BundleContext context;
  private final DropIn dropIn;
  private final Tasks tasks;
  private final Files files;
  private final VmaService memory;
  private final Devices devices;
  private final Drivers drivers;
  private final Proc proc;

  /** Injected. */
  @Activate
  public SoakCommand(
      BundleContext context, @Reference DropIn dropIn, @Reference Tasks tasks,
      @Reference Files files, @Reference VmaService memory, @Reference Devices devices,
      @Reference Drivers drivers, @Reference Proc proc) {
    this.context = context;
    this.dropIn = dropIn;
    this.tasks = tasks;
    this.files = files;
    this.memory = memory;
    this.devices = devices;
    this.drivers = drivers;
    this.proc = proc;
  }

  /**
   * The command.
   *
   * @throws SoakFailedException when an access failed, a byte was wrong, or something was left behind
   */
  @Descriptor("""
      upgrades a driver again and again under full load, or installs and uninstalls it
      usage: soak [--upgrades COUNT] [--rounds COUNT]
      --upgrades: four processes write, read, map, unmap and fault on /dev/scullp0 to 3, with checksums,
      while two versions of scullp take over from each other COUNT times.
      --rounds: installs, opens, maps, touches and uninstalls scullp COUNT times, and looks for
      threads, pages, services, bundles and class loaders that are left.
      Needs a kernel in which scullp is not installed; leaves it as it was. 500 upgrades without
      arguments.
      example: soak --upgrades 50
      example: soak --rounds 1000""")
  public String soak(CommandSession session, String... words)
      throws SoakFailedException, IOException, BundleException, ErrnoException,
      InterruptedException {
    if (devices.find(DEVICE + "0").isPresent()) {
      throw new SoakFailedException("soak: scullp is installed; driver remove scullp first");
    }
    int upgrades = number("--upgrades", words);
    int rounds = number("--rounds", words);
    if (upgrades < 0 && rounds < 0 && words.length > 0) {
      throw new SoakFailedException(
          "soak: give --upgrades COUNT or --rounds COUNT; example: soak --upgrades 50");
    }
    Bar bar = new Bar(session.getConsole());
    List<String> lines = new ArrayList<>();
    if (rounds >= 0) {
      lines.add(rounds(rounds, bar));
    }
    if (upgrades >= 0 || rounds < 0) {
      lines.add(upgrades(upgrades < 0 ? 500 : upgrades, bar));
    }
    return String.join(System.lineSeparator(), lines);
  }

  private static int number(String option, String... words) throws SoakFailedException {
    int at = Arrays.asList(words).indexOf(option);
    if (at < 0) {
      return -1;
    }
    try {
      int count = at + 1 < words.length ? Integer.parseInt(words[at + 1]) : 0;
      if (count > 0) {
        return count;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new SoakFailedException("soak: " + option + " needs a number of 1 or more");
  }

  private Path jar() {
    return dropIn.availableJar("scullp");
  }

  private Bundle install(String location, byte[] jar) throws BundleException {
    Bundle bundle = context.installBundle(location, new ByteArrayInputStream(jar));
    bundle.start();
    return bundle;
  }

  private static void await(String what, BooleanSupplier holds) throws SoakFailedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new SoakFailedException("soak: waited in vain: " + what);
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  private boolean offersDevices(Bundle bundle) {
    try {
      return !context.getServiceReferences(
          io.faultline.device.MmapProvider.class,
          "(service.bundleid=" + bundle.getBundleId() + ")").isEmpty();
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static WeakReference<ClassLoader> loader(Bundle bundle) {
    return new WeakReference<>(bundle.adapt(BundleWiring.class).getClassLoader());
  }

  private static int collected(List<WeakReference<ClassLoader>> loaders)
      throws InterruptedException {
    for (int i = 0; i < 20; i++) {
      System.gc();
      if (loaders.stream().allMatch(l -> l.refersTo(null))) {
        break;
      }
      Thread.sleep(100);
    }
    return (int) loaders.stream().filter(l -> l.refersTo(null)).count();
  }

  private static long heap() throws InterruptedException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(20);
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  // ---- upgrades ---------------------------------------------------------------------------------

  private String upgrades(int count, Bar bar)
      throws SoakFailedException, IOException, BundleException, ErrnoException,
      InterruptedException {
    byte[][] jars = {Versions.of(jar(), "1000.0.1"), Versions.of(jar(), "1000.0.2")};
    Bundle current = install("soak:0", jars[0]);
    List<Load> loads = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    List<WeakReference<ClassLoader>> old = new ArrayList<>();
    long[] stalls = new long[count];
    long[] longest = new long[count];
    long began = System.nanoTime();
    long heapBefore = 0;
    try {
      await(DEVICE, () -> devices.find(DEVICE + "3").isPresent());
      for (int t = 0; t < THREADS; t++) {
        Load load = new Load(tasks, files, memory, DEVICE + t, 1000L * t);
        loads.add(load);
        threads.add(Thread.ofPlatform().name("soak-" + t).start(load));
      }
      int warm = Math.min(count / 2, 20);
      for (int i = 0; i < count; i++) {
        if (i == warm) {
          heapBefore = heap();
        }
        loads.forEach(load -> load.longest.set(0));
        Bundle next = install("soak:" + (i + 1), jars[(i + 1) % 2]);
        await("its services", () -> offersDevices(next));
        stalls[i] = drivers.upgrade(current.getBundleId(), next.getBundleId()).stallNanos();
        old.add(loader(current));
        current.uninstall();
        current = next;
        longest[i] = loads.stream().mapToLong(load -> load.longest.get()).max().orElse(0);
        bar.show("upgrades", i + 1, count);
      }
    } catch (UpgradeException e) {
      throw new SoakFailedException(
          "soak: upgrade " + (old.size() + 1) + " failed: " + e.getMessage());
    } finally {
      loads.forEach(Load::stop);
      for (Thread thread : threads) {
        thread.join();
      }
      bar.end();
      loads.forEach(Load::close);
      current.uninstall();
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    int collected = collected(old);
    long growth = heap() - heapBefore;
    return report(count, seconds, loads, stalls, longest, collected, old.size(), growth);
  }

  private static String report(
      int count, double seconds, List<Load> loads, long[] stalls, long[] longest, int collected,
      int loaders, long growth)
      throws SoakFailedException {
    long accesses = loads.stream().mapToLong(l -> l.accesses.get()).sum();
    long faults = loads.stream().mapToLong(l -> l.faults.get()).sum();
    long failed = loads.stream().mapToLong(l -> l.failed.get()).sum();
    long wrong = loads.stream().mapToLong(l -> l.wrong.get()).sum();
    String table = String.format(
        Locale.ROOT,
        """
        upgrades           %d in %.1f s, %d threads
        accesses           %d, of these %d faults at least
        failed accesses    %d
        wrong pages        %d
        upgrade's stall    p50 %.2f ms, p99 %.2f ms, max %.2f ms
        longest access     p50 %.2f ms, p99 %.2f ms, max %.2f ms (in each upgrade, with
                           installing, starting and uninstalling)
        class loaders      %d of %d old ones collected
        heap               %+.1f MiB since the first upgrades""",
        count, seconds, THREADS, accesses, faults, failed, wrong, percentile(stalls, 50),
        percentile(stalls, 99), percentile(stalls, 100), percentile(longest, 50),
        percentile(longest, 99), percentile(longest, 100), collected, loaders,
        growth / (double) (1 << 20));
    if (failed > 0 || wrong > 0 || collected < loaders || growth > HEAP_SLACK) {
      String first =
          loads.stream().map(l -> l.firstFailure).filter(f -> !f.isEmpty()).findFirst().orElse("");
      throw new SoakFailedException(
          table + System.lineSeparator() + "soak: FAILED"
              + (first.isEmpty() ? "" : "; first failure: " + first));
    }
    return table;
  }

  private static double percentile(long[] nanos, int percent) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    int at = Math.clamp((int) Math.ceil(sorted.length * percent / 100.0) - 1, 0, sorted.length - 1);
    return sorted[at] / 1e6;
  }

  // ---- rounds -----------------------------------------------------------------------------------

  /** What may not grow. */
  private record Census(
      long free, int services, int bundles, int nodes, int threads) {}

  private Census census() {
    try {
      var all = context.getAllServiceReferences(null, null);
      return new Census(
          freePages(), all == null ? 0 : all.length, context.getBundles().length,
          devices.list().size(), Thread.getAllStackTraces().size());
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private long freePages() {
    return proc.meminfo().lines()
        .filter(line -> line.startsWith("MemFree:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .sum();
  }

  private void round(byte[] jar, List<WeakReference<ClassLoader>> old, int number)
      throws SoakFailedException, BundleException, ErrnoException {
    Bundle bundle = install("soak-round:" + number, jar);
    await(DEVICE, () -> devices.find(DEVICE + "3").filter(DeviceInfo::present).isPresent());
    try (Load load = new Load(tasks, files, memory, DEVICE + number % THREADS, number)) {
      load.stop();
      load.touch();
      old.add(loader(bundle));
      bundle.uninstall();
      if (!load.isRefused()) {
        throw new SoakFailedException(
            "soak: round " + number + ": an access after the uninstall was not refused");
      }
    }
  }

  private String rounds(int count, Bar bar)
      throws SoakFailedException, IOException, BundleException, ErrnoException,
      InterruptedException {
    byte[] jar = Versions.of(jar(), "1000.0.1");
    List<WeakReference<ClassLoader>> old = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      round(jar, old, i);
    }
    Census before = census();
    long began = System.nanoTime();
    for (int i = 0; i < count; i++) {
      round(jar, old, i + 5);
      bar.show("rounds", i + 1, count);
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    bar.end();
    int collected = collected(old);
    Census after = census();
    String table = String.format(
        Locale.ROOT,
        """
        rounds             %d in %.1f s
        threads            %d before, %d after
        free memory        %d kB before, %d kB after
        services           %d before, %d after
        bundles            %d before, %d after
        device nodes       %d before, %d after
        class loaders      %d of %d collected""",
        count, seconds, before.threads, after.threads, before.free, after.free, before.services,
        after.services, before.bundles, after.bundles, before.nodes, after.nodes, collected,
        old.size());
    if (after.free != before.free || after.services != before.services
        || after.bundles != before.bundles || after.nodes != before.nodes
        || after.threads > before.threads + 1 || collected < old.size()) {
      throw new SoakFailedException(table + System.lineSeparator() + "soak: FAILED");
    }
    return table;
  }
}
