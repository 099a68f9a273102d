// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static io.faultline.mm.Mman.*;

import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.SystemCall;
import org.jspecify.annotations.Nullable;

/** Steps that make, change and take away areas. */
final class MappingSteps {
  private static final int[] PROTECTIONS = {
    PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE,
    PROT_WRITE, PROT_EXEC, PROT_READ | PROT_EXEC, PROT_WRITE | PROT_EXEC,
    PROT_READ | PROT_WRITE | PROT_EXEC};
  private static final int[] ADVICE_2 = {
    MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_DONTNEED,
    MADV_FREE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
    MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD,
    MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED};
  private static final int[] ADVICE_3 = {
    MADV_REMOVE, MADV_REMOVE, MADV_REMOVE, MADV_COLLAPSE, MADV_COLLAPSE, MADV_COLLAPSE, 5, 26, -1};
  private static final int[] ADVICE_4 = {
    MADV_GUARD_INSTALL, MADV_GUARD_INSTALL, MADV_GUARD_INSTALL, MADV_GUARD_REMOVE};

  private final Aim aim;
  /** Without it the contents of mincore's vectors can be compared. */
  private final boolean hugePages;

  MappingSteps(Aim aim, boolean hugePages) {
    this.aim = aim;
    this.hugePages = hugePages;
  }

  @Nullable Event mmap() {
    long at = aim.chance(40) ? 0 : aim.any();
    long size = aim.newLength();
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    int fd = -1;
    long offset = 0;
    if (at != 0 && aim.chance(65)) {
      flags |= aim.chance(15) && aim.level() >= 2 ? MAP_FIXED_NOREPLACE : MAP_FIXED;
    }
    if (aim.level() >= 2) {
      flags |= aim.one(8, MAP_NORESERVE) | aim.one(4, MAP_STACK);
    }
    if (aim.level() >= 3) {
      if (aim.chance(40)) {
        flags &= ~MAP_ANONYMOUS;
        fd = HostFiles.DESCRIPTORS[aim.nextInt(HostFiles.DESCRIPTORS.length)];
        offset = 4096L * aim.nextInt(aim.chance(80) ? 16 : 2048);
        if (aim.chance(2)) {
          offset = aim.chance(50) ? 0x800 : -4096L;
        }
      } else if (aim.chance(3)) {
        fd = 99;
      } else if (aim.chance(3)) {
        offset = 4096L * aim.nextInt(16);
      }
      if (aim.chance(35)) {
        flags =
            flags & ~MAP_TYPE | (aim.chance(80) ? MAP_SHARED : aim.chance(80) ? MAP_SHARED_VALIDATE
                : aim.nextInt(16));
      }
      flags |= aim.one(2, MAP_32BIT) | aim.one(1, MAP_DENYWRITE) | aim.one(1, MAP_EXECUTABLE)
          | aim.one(1, MAP_NONBLOCK) | aim.one(1, MAP_SYNC) | aim.one(1, MAP_HUGETLB);
    }
    if (aim.level() >= 4) {
      flags |= aim.one(10, MAP_GROWSDOWN) | aim.one(5, MAP_LOCKED) | aim.one(5, MAP_POPULATE);
    }
    if (aim.level() >= 5 && aim.chance(5)) {
      flags = flags & ~MAP_TYPE | MAP_DROPPABLE;
    }
    if ((flags & MAP_HUGETLB) != 0) {
      // Without a reservation it succeeds, and huge pages are not built.
      flags &= ~MAP_NORESERVE;
    }
    boolean fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    if (fixed && !Aim.safe(at, size)) {
      return null;
    }
    int prot = aim.pick(PROTECTIONS);
    if (aim.level() >= 3 && aim.chance(2)) {
      prot |= aim.chance(50) ? PROT_SEM : 0x4000_0000;
    }
    return new SystemCall.Mmap(0, at, size, prot, flags, fd, offset, null);
  }

  @Nullable Event munmap() {
    long at = aim.any();
    long size = aim.length();
    return Aim.safe(at, size) ? new SystemCall.Munmap(0, at, size, null) : null;
  }

  @Nullable Event mprotect() {
    long at = aim.any();
    long size = aim.length();
    int prot = aim.pick(PROTECTIONS);
    if (aim.level() >= 4 && aim.chance(4)) {
      prot |= aim.chance(90) ? PROT_GROWSDOWN : PROT_GROWSUP;
    }
    if (aim.level() >= 3 && aim.chance(1)) {
      prot |= 0x4000_0000;
    }
    return Aim.safe(at, size) ? new SystemCall.Mprotect(0, at, size, prot, null) : null;
  }

  @Nullable Event pkeyMprotect() {
    long at = aim.any();
    long size = aim.length();
    return Aim.safe(at, size)
        ? new SystemCall.PkeyMprotect(
            0, at, size, aim.pick(PROTECTIONS), aim.nextInt(6) - 1, null)
        : null;
  }

  Event brk() {
    if (aim.chance(15)) {
      return new SystemCall.Brk(0, 0, null);
    }
    long at = aim.startBrk() + 4096L * (aim.nextInt(24) - 2);
    if (aim.level() >= 2 && aim.chance(5)) {
      at += Aim.HUGE;
    }
    if (aim.chance(20)) {
      at += aim.nextInt(4096);
    }
    return new SystemCall.Brk(0, at, null);
  }

  @Nullable Event mremap() {
    long at = aim.any();
    long size = aim.length();
    long to = 0;
    int flags = aim.chance(75) ? MREMAP_MAYMOVE : 0;
    long newSize =
        aim.chance(35) ? size : aim.chance(50) ? aim.newLength() : size + 4096L * aim.nextInt(16);
    if (aim.level() >= 3) {
      if (aim.chance(45)) {
        flags |= MREMAP_FIXED | MREMAP_MAYMOVE;
        to = aim.any();
      }
      if (aim.chance(10)) {
        flags |= MREMAP_DONTUNMAP;
        if (aim.chance(90)) {
          flags |= MREMAP_MAYMOVE;
          newSize = size;
        }
        if (to == 0 && aim.chance(30)) {
          to = aim.any();
        }
      }
      if (aim.chance(2)) {
        flags = aim.nextInt(16);
      }
      if (aim.chance(6)) {
        size = 0;
      }
    }
    // A large old length is no harm, a large new one may be filled.
    if (newSize > 16L << 20 && newSize < 1L << 47) {
      newSize = size < 16L << 20 ? size : 4096;
    }
    if (!Aim.safe(at, size) || !Aim.safe(at, newSize) || !Aim.safe(to, newSize)) {
      return null;
    }
    return new SystemCall.Mremap(0, at, size, newSize, flags, to, null);
  }

  @Nullable Event madvise() {
    long at = aim.any();
    long size = aim.length();
    int advice = aim.pick(ADVICE_2);
    if (aim.level() >= 3 && aim.chance(8)) {
      advice = aim.pick(ADVICE_3);
    }
    if (aim.level() >= 4 && aim.chance(25)) {
      advice = aim.pick(ADVICE_4);
    }
    if (advice == MADV_COLLAPSE && aim.chance(80)) {
      at = aim.hugeRoom();
      size = Aim.HUGE * (aim.chance(80) ? 1 : 2);
    } else if (advice == MADV_REMOVE && aim.chance(50)) {
      int i = aim.random(AreaView.SEGMENT);
      at = i < 0 ? at : aim.areas().start(i);
      size = 4096L * (1 + aim.nextInt(4));
    }
    if (advice == MADV_COLLAPSE && aim.areas().anyOf(AreaView.MEMORY_FILE, at, size)) {
      // Which pages of a memory file are in memory is not known to the engine.
      return null;
    }
    if (!hugePages && (advice == MADV_HUGEPAGE || advice == MADV_COLLAPSE)) {
      return null;
    }
    return Aim.safe(at, size) ? new SystemCall.Madvise(0, at, size, advice, null) : null;
  }
}
