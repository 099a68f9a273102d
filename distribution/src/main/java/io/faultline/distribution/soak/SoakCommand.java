// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.distribution.driver.DropIn;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Drivers;
import io.faultline.kernel.Files;
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code soak}, for the shell and for the distribution's script. */
@Component(service = SoakCommand.class)
@GogoCommand(scope = "faultline", function = "soak")
public final class SoakCommand {
  private static final int WARM_ROUNDS = 5;
  private static final int ENDING_SECONDS = 30;

  private final BundleContext context;
  private final DropIn dropIn;
  private final Machine machine;
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
    this.machine = new Machine(tasks, files, memory);
    this.devices = devices;
    this.drivers = drivers;
    this.proc = proc;
  }

  /**
   * The command.
   *
   * @throws SoakFailedException naming what is wrong: accesses, bytes, or what was left behind
   */
  @Descriptor("""
      upgrades drivers again and again under full load, or installs and uninstalls them
      usage: soak [--upgrades COUNT] [--rounds COUNT]
      --upgrades: four threads write, read, map, unmap and fault on scullp, framebuffer and ring, with
      checksums, while two versions of each driver take over from each other COUNT times, by turns.
      --rounds: installs, opens, maps, touches and uninstalls every driver COUNT times, and looks for
      threads, frames, areas, services, bundles and class loaders that are left, and at the heap.
      Needs a kernel in which these drivers are not installed; leaves it as it was. 500 upgrades
      without arguments.
      example: soak --upgrades 50
      example: soak --rounds 1000""")
  public Object soak(CommandSession session, String... words) throws Exception {
    if (List.of(words).contains("--help")) {
      return session.execute("help soak");
    }
    int upgrades = number("--upgrades", words);
    int rounds = number("--rounds", words);
    if (upgrades < 0 && rounds < 0 && words.length > 0) {
      throw new SoakFailedException(
          "soak: give --upgrades COUNT or --rounds COUNT; example: soak --upgrades 50");
    }
    List<String> tables = new ArrayList<>();
    if (rounds >= 0) {
      tables.add(rounds(rounds, new Progress(session.getConsole())));
    }
    if (upgrades >= 0 || rounds < 0) {
      tables.add(upgrades(upgrades < 0 ? 500 : upgrades, new Progress(session.getConsole())));
    }
    return String.join(System.lineSeparator(), tables);
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

  private void requireAbsent(List<String> names) throws SoakFailedException {
    for (String name : names) {
      boolean there =
          devices.list().stream().anyMatch(d -> d.driver().endsWith("." + name));
      if (there) {
        throw new SoakFailedException(
            "soak: %s is installed; driver remove %s first".formatted(name, name));
      }
    }
  }

  private String upgrades(int count, Progress progress) throws Exception {
    requireAbsent(List.of("scullp", "framebuffer", "ring"));
    Installer installer = new Installer(context, devices);
    Census before = census();
    Upgrades.Result result =
        new Upgrades(installer, machine, drivers, new Versions(dropIn), progress).run(count);
    List<String> faults = new ArrayList<>(result.faults());
    long loaders = installer.remains().loaders();
    Census after = censusLikeThat(before);
    faults.addAll(left(installer.remains(), loaders, before, after));
    return checked(
        lines(result.table(), old(installer.remains(), loaders), after.compared(before)), faults);
  }

  private String rounds(int count, Progress progress) throws Exception {
    Versions versions = new Versions(dropIn);
    List<String> names = versions.ofDevices().stream()
        .filter(name -> devices.list().stream().noneMatch(d -> d.driver().endsWith("." + name)))
        .toList();
    Map<String, byte[]> jars = new TreeMap<>();
    for (String name : names) {
      jars.put(name, versions.of(name, "1000.0.1"));
    }
    Installer installer = new Installer(context, devices);
    Rounds rounds = new Rounds(installer, machine, devices);
    for (int i = 0; i < WARM_ROUNDS; i++) {
      round(rounds, jars);
    }
    Census before = census();
    long began = System.nanoTime();
    Heap heap = new Heap();
    heap.look(installer.remains().uninstalled());
    for (int i = 0; i < count; i++) {
      round(rounds, jars);
      if (Heap.isDue(i + 1, count)) {
        heap.look(installer.remains().uninstalled());
        installer.remains().forget();
      }
      progress.show("rounds", i + 1, count, "of " + String.join(" ", names));
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    progress.end();
    long loaders = installer.remains().loaders();
    Census after = censusLikeThat(before);
    String table =
        lines(
            String.format(
                Locale.ROOT, "rounds             %d of %s in %.1f s", count,
                String.join(" ", names), seconds),
            heap.line(), old(installer.remains(), loaders), after.compared(before));
    List<String> faults = left(installer.remains(), loaders, before, after);
    faults.addAll(heap.faults());
    // Memory that outlives drivers; it was there before as well.
    drivers.kept().stream().map(KeptMemory::driver).distinct().toList()
        .forEach(drivers::forget);
    return checked(table, faults);
  }

  private static void round(Rounds rounds, Map<String, byte[]> jars) throws Exception {
    for (Map.Entry<String, byte[]> jar : jars.entrySet()) {
      rounds.round(jar.getKey(), jar.getValue());
    }
  }

  /** What is just ending is not left: threads of the kernel's that make calls end when they are idle. */
  private Census censusLikeThat(Census before) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(ENDING_SECONDS);
    Census after = census();
    while (!after.leftSince(before).isEmpty() && System.nanoTime() - end < 0) {
      // A thread that ends tells nobody.
      Thread.sleep(50);
      after = census();
    }
    return after;
  }

  private Census census() {
    return Census.take(context, devices, proc, machine);
  }

  private static String old(Remains remains, long loaders) {
    return """
        class loaders      %s%d old ones collected
        old bundles        %d of %d are remembered, by the log's last entries""".formatted(
        loaders == 0 ? "all " : remains.uninstalled() - loaders + " of ", remains.uninstalled(),
        remains.bundles(), remains.uninstalled());
  }

  private static List<String> left(
      Remains remains, long loaders, Census before, Census after) {
    List<String> left = new ArrayList<>(after.leftSince(before));
    if (loaders > 0) {
      left.add(loaders + " class loaders of old drivers are still there");
    }
    if (remains.bundlesForGood() > 0) {
      left.add(
          "%d old bundles are still known to somebody; the log names the last ones only".formatted(
              remains.bundlesForGood()));
    }
    return left;
  }

  private static String lines(String... lines) {
    return String.join(System.lineSeparator(), lines);
  }

  private static String checked(String table, List<String> faults) throws SoakFailedException {
    if (!faults.isEmpty()) {
      throw new SoakFailedException(
          lines(table, "soak: FAILED: " + String.join("; ", faults)));
    }
    return table;
  }
}
