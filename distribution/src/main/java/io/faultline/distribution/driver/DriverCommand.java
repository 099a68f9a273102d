// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Drivers;
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.Upgrade;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jline.reader.ParsedLine;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code driver}: the life of drivers in the running kernel. */
@Component(service = DriverCommand.class)
@GogoCommand(
    scope = "faultline",
    function = {"driver", "__driver"})
public final class DriverCommand {
  private static final List<String> WORDS =
      List.of("install", "upgrade", "remove", "list", "info", "restore", "forget");

  private final DropIn dropIn;
  private final ModuleCommands modules;
  private final Devices devices;
  private final Drivers drivers;

  /**
   * @param dropIn the folder of drivers
   * @param modules what installing and removing is
   * @param devices the kernel's device table
   * @param drivers the kernel's way of replacing them
   */
  @Activate
  public DriverCommand(
      @Reference DropIn dropIn, @Reference ModuleCommands modules, @Reference Devices devices,
      @Reference Drivers drivers) {
    this.dropIn = dropIn;
    this.modules = modules;
    this.devices = devices;
    this.drivers = drivers;
  }

  /** The command. */
  @Descriptor("""
      install, upgrade, remove, list and restore drivers while the kernel runs
      usage: driver install|upgrade|remove|list|info|restore|forget [NAME|JAR|FILE.java...]
      upgrade puts a new version in the place of the one that runs, while its devices are open and
      mapped: installs it beside the old one, resolves it, tests it, hands the devices over, then
      stops and uninstalls the old one. If a step fails the old one has never stopped.
      info shows a driver's devices, their policy when it goes, and what it did wrong.
      restore brings a driver back that was quarantined, by a device's path or the bundle's name.
      forget frees what is kept of the devices of a driver that is stopped.
      The same with files: put a jar into drivers/ (install), over the old one (a gap, in which
      accesses wait and what the driver saved is kept), or delete it (remove).
      example: driver install scullp
      example: driver upgrade ~/mydriver/target/mydriver-1.1.jar
      example: driver info scullp
      example: driver restore /dev/scullp0""")
  public String driver(CommandSession session, String... words)
      throws DropInException, InterruptedException {
    String what = words.length == 0 ? "list" : words[0];
    String[] rest = words.length == 0 ? words : Arrays.copyOfRange(words, 1, words.length);
    return switch (what) {
      case "install" -> modules.insmod(session, rest);
      case "remove" -> modules.rmmod(rest);
      case "upgrade" -> upgrade(session, rest);
      case "list" -> list();
      case "info" -> info(one(what, rest));
      case "restore" -> restore(one(what, rest));
      case "forget" -> forget(one(what, rest));
      default -> throw new DropInException(
          "driver: there is no '%s'; give one of %s".formatted(what, String.join(" ", WORDS)));
    };
  }

  private static String one(String what, String... rest) throws DropInException {
    if (rest.length != 1) {
      throw new DropInException(
          "driver %s: give one name; example: driver %s scullp".formatted(what, what));
    }
    return rest[0];
  }

  private String upgrade(CommandSession session, String... rest)
      throws DropInException, InterruptedException {
    if (rest.length == 0) {
      throw new DropInException(
          "driver upgrade: give the new version's jar, its sources, or the name of one that came"
              + " along; available: " + DriverFolder.list(dropIn.available()));
    }
    Path jar = modules.jar(session.currentDir(), rest);
    Upgraded done = dropIn.upgrade(jar, drivers);
    Upgrade upgrade = done.upgrade();
    return String.format(
        Locale.ROOT,
        "%s %s -> %s: %s%n%d open files, %d areas, %d pages and %d bytes of state handed over;"
            + " accesses waited %.1f ms; %s is gone",
        done.driver(), done.from(), done.to(), String.join(" ", upgrade.devices()),
        upgrade.files(), upgrade.areas(), upgrade.pages(), upgrade.stateBytes(),
        upgrade.stallNanos() / 1e6, done.from());
  }

  private Map<String, List<DeviceInfo>> byDriver() {
    return devices.list().stream()
        .collect(Collectors.groupingBy(
            d -> d.driver() + " " + d.driverVersion(), java.util.TreeMap::new,
            Collectors.toList()));
  }

  private String list() {
    List<String> lines = new ArrayList<>();
    byDriver().forEach((driver, nodes) -> {
      DeviceInfo first = nodes.getFirst();
      lines.add(
          "%-44s %-12s %s".formatted(
              driver, first.state().name().toLowerCase(Locale.ROOT),
              nodes.stream().map(DeviceInfo::path).collect(Collectors.joining(" "))));
    });
    if (lines.isEmpty()) {
      lines.add("no drivers");
    }
    drivers.kept().forEach(kept -> lines.add(describe(kept)));
    lines.add("available: " + DriverFolder.list(dropIn.available()));
    lines.add("in drivers/: " + DriverFolder.list(dropIn.installed()));
    return String.join(System.lineSeparator(), lines);
  }

  private String info(String name) throws DropInException {
    List<String> lines = new ArrayList<>();
    byDriver().forEach((driver, nodes) -> {
      if (nodes.stream().anyMatch(d -> isCalled(d, name))) {
        describe(driver, nodes, lines);
      }
    });
    drivers.kept().stream().filter(kept -> isCalled(kept, name)).map(DriverCommand::describe)
        .forEach(lines::add);
    if (lines.isEmpty()) {
      throw new DropInException(
          "driver info: no driver %s serves a device; driver list shows those that do"
              .formatted(name));
    }
    return String.join(System.lineSeparator(), lines);
  }

  private static boolean isCalled(DeviceInfo device, String name) {
    return device.path().equals(name)
        || device.driver().equals(name)
        || device.driver().endsWith("." + name);
  }

  private static boolean isCalled(KeptMemory kept, String name) {
    return kept.what().equals(name)
        || kept.driver().equals(name)
        || kept.driver().endsWith("." + name);
  }

  private static String describe(KeptMemory kept) {
    return kept.driverVersion().isEmpty()
        ? "kept: region %s of %s, %d pages".formatted(kept.what(), kept.driver(), kept.pages())
        : "kept: %s as %s %s saved it, %d pages and %d bytes".formatted(
            kept.what(), kept.driver(), kept.driverVersion(), kept.pages(), kept.bytes());
  }

  private String forget(String name) throws DropInException {
    List<KeptMemory> named =
        drivers.kept().stream().filter(kept -> isCalled(kept, name)).toList();
    if (named.isEmpty()) {
      throw new DropInException(
          "driver forget: nothing is kept for %s; driver list shows what is".formatted(name));
    }
    int count =
        named.getFirst().what().equals(name)
            ? drivers.forget(name)
            : drivers.forget(named.getFirst().driver());
    return "%s: %d states and regions freed".formatted(name, count);
  }

  private void describe(String driver, List<DeviceInfo> nodes, List<String> lines) {
    DeviceInfo first = nodes.getFirst();
    Bundle bundle = dropIn.bundle(first.driver(), first.driverVersion());
    lines.add(driver);
    lines.add(
        "  bundle      %s".formatted(
            bundle == null ? "none" : bundle.getBundleId() + " " + bundle.getLocation()));
    lines.add(
        "  state       %s, generation %d, %d calls under way".formatted(
            first.state().name().toLowerCase(Locale.ROOT), first.generation(), first.inFlight()));
    lines.add(
        "  when gone   %s".formatted(first.unplug().name().toLowerCase(Locale.ROOT)));
    lines.add("  pages       %d".formatted(first.pages()));
    for (DeviceInfo node : nodes) {
      lines.add(
          "  %-11s %s, %d open files, %d areas, %d faults, %d errors%s".formatted(
              node.path(), node.number(), node.openFiles(), node.areas(), node.faults(),
              node.errors(),
              node.lastError() == null ? "" : "; the last: " + node.lastError()));
    }
  }

  private String restore(String name) throws DropInException {
    String full = devices.list().stream()
        .filter(d -> isCalled(d, name))
        .map(DeviceInfo::driver)
        .findFirst()
        .orElse(name);
    int count = drivers.restore(full);
    if (count == 0) {
      throw new DropInException(
          "driver restore: no driver %s is quarantined; driver list shows their states"
              .formatted(name));
    }
    return "%s: %d devices serve again".formatted(full, count);
  }

  /** What Tab offers behind {@code driver}; the shell calls it. */
  public List<?> __driver(CommandSession session) {
    List<String> before = before(session);
    return switch (before.isEmpty() ? "" : before.getFirst()) {
      case "" -> WORDS;
      case "install", "upgrade" -> ModuleWords.of(dropIn.available(), session);
      case "remove" -> dropIn.installed();
      case "info" ->
          Stream.concat(
              devices.list().stream().map(DeviceInfo::driver),
              devices.list().stream().map(DeviceInfo::path)).distinct().toList();
      case "restore" ->
          devices.list().stream().filter(d -> d.state() == DeviceInfo.State.QUARANTINED)
              .map(DeviceInfo::path).toList();
      case "forget" ->
          drivers.kept().stream()
              .flatMap(kept -> Stream.of(kept.driver(), kept.what())).distinct().toList();
      default -> List.of();
    };
  }

  /** The words between the command and the cursor. */
  private static List<String> before(@Nullable CommandSession session) {
    if (session != null && session.get(".commandLine") instanceof ParsedLine line
        && line.wordIndex() > 1) {
      return line.words().subList(1, line.wordIndex());
    }
    return List.of();
  }
}
