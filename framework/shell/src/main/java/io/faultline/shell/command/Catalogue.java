// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.shell.Command;
import io.faultline.shell.Manual;
import io.faultline.shell.trace.Trace;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All commands that people type, in the order in which {@code help} shows them. */
public final class Catalogue {
  /**
   * Commands that belong together.
   *
   * @param title what they are about
   * @param commands their classes
   */
  public record Group(String title, List<Class<? extends Command>> commands) {}

  private static final List<Group> GROUPS =
      List.of(
          new Group("Processes",
              List.of(
                  Ps.class, Spawn.class, Fork.class, Kill.class, Use.class, OomScoreAdj.class)),
          new Group(
              "Core dumps", List.of(Core.class, CoredumpFilter.class, CorePattern.class)),
          new Group(
              "Areas",
              List.of(
                  Maps.class, Vmas.class, Smaps.class, PagemapCommand.class, Status.class,
                  Statm.class, ClearRefs.class, ProcCommand.class)),
          new Group(
              "Files",
              List.of(
                  FilesCommand.class, Open.class, Close.class, Read.class, Write.class,
                  Truncate.class, Fsync.class, Sync.class, Cache.class)),
          new Group(
              "Memory calls",
              List.of(
                  Mmap.class, Munmap.class, Mprotect.class, Mremap.class, Brk.class, Madvise.class,
                  Mlock.class, Munlock.class, Msync.class, Populate.class)),
          new Group("Memory", List.of(Peek.class, Poke.class)),
          new Group(
              "The machine",
              List.of(
                  Free.class, Meminfo.class, Vmstat.class, Zoneinfo.class, Iomem.class,
                  SwapsCommand.class,
                  Swapon.class, Swapoff.class)),
          new Group(
              "Drivers",
              List.of(DevicesCommand.class, Drivers.class, Faults.class, Trace.class)),
          new Group("Shell", List.of(Help.class, VmHelp.class)));

  /** The groups of commands. */
  public static List<Group> groups() {
    return GROUPS;
  }

  /** The classes of the commands that people type. */
  public static List<Class<? extends Command>> typed() {
    List<Class<? extends Command>> all = new ArrayList<>();
    GROUPS.forEach(group -> all.addAll(group.commands()));
    return List.copyOf(all);
  }

  /** The manual of a command that people type, or null when there is none of that name. */
  public static @Nullable Manual find(String name) {
    String scope = Command.SCOPE + ":";
    String plain = name.startsWith(scope) ? name.substring(scope.length()) : name;
    for (Class<? extends Command> command : typed()) {
      Manual manual = Manual.of(command);
      if (manual.name().equals(plain)) {
        return manual;
      }
    }
    return null;
  }

  private Catalogue() {}
}
