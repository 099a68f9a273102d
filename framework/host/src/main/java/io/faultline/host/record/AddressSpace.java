// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import io.faultline.host.linux.HostException;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.PageState;
import io.faultline.host.ptrace.ProcFiles;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The maps of the recorded process as last seen, and in which of its mappings anonymous memory has been
 * seen. Pages are looked at, not traced: a mapping that had none and has some now was written to.
 */
final class AddressSpace {
  private static final long TOP = 0x7ffffffff000L;
  private static final int THERE = PageState.PRESENT | PageState.SWAPPED;
  private static final int NOT_ANONYMOUS = PageState.FILE | PageState.ZERO | PageState.GUARD;

  private final ProcFiles proc;
  private String maps = "";
  private List<Area> areas = List.of();

  /**
   * What changed since the last call.
   *
   * @param touches pages, and whether each was written to or only read
   * @param renamed files with their new names
   * @param unexplained what has no cause in the recording
   */
  record Changes(
      SortedMap<Long, Boolean> touches, List<String> renamed, List<String> unexplained) {}

  AddressSpace(ProcFiles proc) throws HostException {
    this.proc = proc;
    show(proc.maps());
  }

  /** The text of the maps as last seen. */
  String maps() {
    return maps;
  }

  /** Looks before a call: what did the program do by itself since the last one? */
  Changes look() throws HostException {
    Changes changes = new Changes(new TreeMap<>(Long::compareUnsigned), new ArrayList<>(),
        new ArrayList<>());
    String now = proc.maps();
    if (!now.equals(maps)) {
      List<Area> before = areas;
      show(now);
      compare(before, changes);
    }
    for (Area area : areas) {
      if (!area.known && area.canHaveAnonymousMemory()) {
        long page = anonymousPage(area);
        if (page != -1) {
          area.known = true;
          changes.touches.put(page, true);
          continue;
        }
        page = hugeZeroPage(area);
        if (page != -1) {
          area.known = true;
          changes.touches.put(page, false);
        }
      }
    }
    return changes;
  }

  /**
   * Looks behind a call: what it did is known by itself.
   *
   * @return files that got another name meanwhile: another thread may have been renaming one
   */
  List<String> lookBehind(Entered call, long result) throws HostException {
    String now = proc.maps();
    Map<String, Area> before = new HashMap<>();
    areas.forEach(area -> before.put(area.line, area));
    List<String> renamed = new ArrayList<>();
    if (!now.equals(maps)) {
      List<Area> old = areas;
      show(now);
      Map<Long, Area> byStart = new HashMap<>();
      old.forEach(area -> byStart.put(area.start, area));
      Map<String, String> names = new HashMap<>();
      for (Area area : areas) {
        Area same = byStart.get(area.start);
        if (same != null && same.end == area.end && same.attributes.equals(area.attributes)
            && !mayHaveChanged(call, result, area)) {
          rename(same, area, names, renamed);
        }
      }
    }
    for (Area area : areas) {
      Area old = before.get(area.line);
      if (old != null && !mayHaveChanged(call, result, area)) {
        area.known = old.known;
      } else {
        area.known = area.canHaveAnonymousMemory()
            && (anonymousPage(area) != -1 || hugeZeroPage(area) != -1);
      }
    }
    return renamed;
  }

  /** The mapping that holds an address, or null. */
  @Nullable Area at(long address) {
    for (Area area : areas) {
      if (area.overlaps(address, address + 1)) {
        return area;
      }
    }
    return null;
  }

  /** {@code COUNT CRC32}, as {@code digests.txt} has it. */
  String digest() {
    CRC32 crc = new CRC32();
    crc.update(maps.getBytes(StandardCharsets.ISO_8859_1));
    return "%d %08x".formatted(areas.size(), crc.getValue());
  }

  private void show(String text) {
    maps = text;
    areas = Area.parse(text);
  }

  private long anonymousPage(Area area) throws HostException {
    return proc.lowestPage(area.start, area.end, NOT_ANONYMOUS, 0, THERE);
  }

  /** Reads do not matter, but where they find a huge page: that gets an anon_vma as a write does. */
  private long hugeZeroPage(Area area) throws HostException {
    return area.file() == null
        ? proc.lowestPage(area.start, area.end, 0, PageState.ZERO | PageState.HUGE, 0)
        : -1;
  }

  /** What was there is there still, but that a stack has grown or a file has got another name. */
  private void compare(List<Area> before, Changes changes) {
    Map<Long, Area> byEnd = new HashMap<>();
    before.forEach(area -> byEnd.put(area.end, area));
    Map<String, String> names = new HashMap<>();
    int explained = 0;
    for (Area area : areas) {
      Area old = byEnd.get(area.end);
      if (old == null || !old.attributes.equals(area.attributes)
          || Long.compareUnsigned(area.start, old.start) > 0) {
        changes.unexplained.add(area.line);
        continue;
      }
      explained++;
      area.known = old.known;
      if (area.start != old.start) {
        area.known = true;
        changes.touches.put(area.start, true);
      }
      rename(old, area, names, changes.renamed);
    }
    if (explained != before.size() && changes.unexplained.isEmpty()) {
      changes.unexplained.add("%d mappings are gone".formatted(before.size() - explained));
    }
  }

  private static void rename(
      Area old, Area area, Map<String, String> names, List<String> renamed) {
    String file = area.file();
    if (file != null && !area.name.equals(old.name) && names.put(file, area.name) == null) {
      int blank = file.indexOf(' ');
      renamed.add("dev=%s ino=%s path=%s".formatted(
          file.substring(0, blank), file.substring(blank + 1), area.name));
    }
  }

  /** Whether a call may have filled or replaced memory of a mapping whose line is what it was. */
  private static boolean mayHaveChanged(Entered call, long result, Area area) {
    long a = call.arg(0);
    return switch (call.number()) {
      case SyscallNumber.MLOCKALL, SyscallNumber.BRK -> true;
      case SyscallNumber.MMAP ->
          !CallText.failed(result) && overlaps(area, result, call.arg(1))
              || overlaps(area, a, call.arg(1));
      case SyscallNumber.MREMAP ->
          !CallText.failed(result) && overlaps(area, result, call.arg(2))
              || overlaps(area, a, Math.max(call.arg(1), 1))
              || overlaps(area, call.arg(4), call.arg(2));
      case SyscallNumber.SHMAT, SyscallNumber.SHMDT, SyscallNumber.MUNLOCKALL,
          SyscallNumber.PKEY_ALLOC, SyscallNumber.PKEY_FREE, SyscallNumber.SET_MEMPOLICY,
          SyscallNumber.PRCTL, SyscallNumber.IO_SETUP, SyscallNumber.IO_DESTROY -> false;
      default -> overlaps(area, a, call.arg(1));
    };
  }

  private static boolean overlaps(Area area, long start, long length) {
    long end = Long.compareUnsigned(length, TOP) > 0 || Long.compareUnsigned(start, TOP) > 0
        ? TOP
        : start + length;
    return Long.compareUnsigned(start, end) < 0 && area.overlaps(start, end);
  }
}
