// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static io.faultline.mm.Mman.*;

import io.faultline.host.ptrace.BareProgram;
import io.faultline.kernel.MmLayout;
import io.faultline.mm.Access;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.NodeMask;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.SetLimit;
import io.faultline.replay.recording.SystemCall;
import io.faultline.replay.recording.Touch;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Makes up a history, step by step, aiming at what is there: areas' borders, their neighbours, a small
 * window where much meets, a window of huge pages, the heap, the stack. One seed and one level give one
 * history, as long as the kernel answers the same. Levels:
 * <ol>
 * <li>anonymous private mappings and the heap
 * <li>and touches, advice, locks, mremap, no-reserve, sizes of 2 MiB
 * <li>and files, shared memory, System V segments, memory policies, collapses, all of mremap's flags,
 * bad arguments
 * <li>and growing areas, the stack, locked and populated mappings, limits, guards, sealed files, forks,
 * AIO rings
 * <li>and sealing, protection keys, droppable memory, the kernel's own areas, life as the child
 * </ol>
 */
final class Generator {
  /** The highest level. */
  static final int LEVELS = 5;

  private static final long WINDOW = 0x2000_0000L;
  private static final int WINDOW_PAGES = 0xd0;
  private static final long HUGE_WINDOW = 0x4000_0000L;
  private static final long HUGE = 2L << 20;
  private static final long TASK_SIZE = 0x7fff_ffff_f000L;
  /** Above this, new mappings stay small: everything may be locked into memory at once. */
  private static final long CROWDED = 40L << 20;
  private static final int MANY_AREAS = 150;

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
  private static final long[] BAD_ADDRESSES = {
    0, 1, 0x1000, 0x2000, 0x8000, 0xf000, 0x10000, 0x11000, TASK_SIZE - 4096, TASK_SIZE,
    TASK_SIZE + 4096, 0x8000_0000_0000L, 0xffff_8000_0000_0000L, -1, -4096, -8192, Long.MIN_VALUE,
    Long.MAX_VALUE};
  private static final long[] BAD_LENGTHS = {
    0, 0, 1, 4095, -1, -4096, -8192, 1L << 47, TASK_SIZE, Long.MIN_VALUE, Long.MAX_VALUE};
  /** As many as there is room for their places in a page. */
  private static final int CONTEXTS = 380;

  private static final int PR_SET_VMA = 0x53564d41;
  private static final String[] LIMITS = {
    "RLIMIT_STACK", "RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_MEMLOCK"};

  private final Random random;
  private final int level;
  private final boolean limits;
  private final long startBrk;
  private final long mmapBase;
  private final boolean bottomUp;
  /** Without it the contents of mincore's vectors can be compared. */
  private final boolean hugePages;
  /** A child has the rings of its parent, but not its contexts: one or the other. */
  private final boolean rings;
  private final boolean lowersData;
  private AreaView areas = AreaView.of("");
  private boolean lockedFuture;
  private int children = 1000;
  private int alive;
  private int contexts;
  /** A hard limit can only be lowered, for all the rest of the history. */
  private long dataMaximum = -1;

  /**
   * @param layout where the heap and the mappings begin
   * @param limits whether the process's limits may be changed
   */
  Generator(long seed, int level, MmLayout layout, boolean limits) {
    this.limits = limits;
    this.random = new Random(seed);
    this.level = level;
    this.startBrk = layout.startBrk();
    this.mmapBase = layout.mmapBase();
    this.bottomUp = layout.legacyLayout();
    this.hugePages = Math.floorMod(seed, 2) == 0;
    this.lowersData = Math.floorMod(seed, 5) == 0;
    this.rings = level >= 4 && Math.floorMod(seed, 3) == 0;
  }

  /**
   * The next step.
   *
   * @param maps what is mapped now
   */
  Event next(String maps) {
    areas = AreaView.of(maps);
    while (true) {
      Event event = one();
      if (event != null) {
        return event;
      }
    }
  }

  private @Nullable Event one() {
    if (areas.count() > MANY_AREAS && chance(30)) {
      long start = address();
      return safe(start, 1L << 20) ? new SystemCall.Munmap(0, start & -4096, 1L << 20, null) : null;
    }
    int dice = random.nextInt(100);
    if (level == 1) {
      return dice < 45 ? mmap() : dice < 65 ? munmap() : dice < 88 ? mprotect() : brk();
    }
    if (dice < 26) {
      return mmap();
    } else if (dice < 34) {
      return munmap();
    } else if (dice < 44) {
      return mprotect();
    } else if (dice < 48) {
      return brk();
    } else if (dice < 66) {
      return touch();
    } else if (dice < 77) {
      return mremap();
    } else if (dice < 86) {
      return madvise();
    } else if (dice < 90) {
      return lock();
    } else if (dice < 95 && level >= 3) {
      return random.nextInt(5) < 2 ? policy() : rings && chance(40) ? ring() : segment();
    }
    return rare();
  }

  /** System V memory. */
  private @Nullable Event segment() {
    if (chance(35)) {
      int i = chance(70) ? random(AreaView.SEGMENT) : -1;
      long at = i < 0 ? any() : areas.start(i) - (chance(20) ? 4096L * random.nextInt(6) : 0);
      return new SystemCall.Shmdt(0, at, null);
    }
    int flags = one(15, SHM_RDONLY) | one(25, SHM_RND) | one(40, SHM_REMAP) | one(10, SHM_EXEC);
    if (chance(1)) {
      flags |= 0x10000;
    }
    long at = chance(40) ? 0 : any();
    if (chance(15)) {
      at += random.nextInt(4096);
    }
    int id = chance(2) ? HostSegments.COUNT : random.nextInt(HostSegments.COUNT);
    // The longest one: what it replaces must not be the program's text.
    return safe(at, 3L << 20) ? new SystemCall.Shmat(0, id, at, flags, null) : null;
  }

  /** One of the areas of a kind, or -1. */
  private int random(char kind) {
    int found = -1;
    int count = 0;
    for (int i = 0; i < areas.count(); i++) {
      if (areas.kind(i) == kind && random.nextInt(++count) == 0) {
        found = i;
      }
    }
    return found;
  }

  /** AIO rings. */
  private @Nullable Event ring() {
    if (chance(40)) {
      int i = chance(85) ? random(AreaView.RING) : -1;
      long at = i < 0 ? any() : areas.start(i);
      return at >= BareProgram.TEXT && at < BareProgram.TEXT + 4096 ? null
          : new SystemCall.IoDestroy(0, at, null);
    }
    if (contexts == CONTEXTS) {
      return null;
    }
    // A place for each: there must be 0 in it. No vector of mincore comes that far up in a page.
    long pointer = (chance(80) ? BareProgram.DATA : any() & -4096) + 0x400 + 8L * contexts++;
    // What files and the kernel's own areas hold is not known to the engine.
    char kind = areas.kindAt(pointer);
    if (pointer >= BareProgram.TEXT && pointer < BareProgram.TEXT + 4096
        || kind == AreaView.KERNELS_OWN || kind == AreaView.FILE
        || kind == AreaView.MEMORY_FILE) {
      return null;
    }
    int events = chance(85) ? 1 + random.nextInt(200) : chance(50) ? random.nextInt(2000)
        : chance(50) ? random.nextInt(200_000)
        : random.nextInt();
    return new SystemCall.IoSetup(0, events, pointer, null);
  }

  /** Memory policies. */
  private @Nullable Event policy() {
    int mode = random.nextInt(chance(95) ? 7 : 9);
    if (chance(20)) {
      mode |= one(40, MPOL_F_STATIC_NODES) | one(40, MPOL_F_RELATIVE_NODES)
          | one(20, MPOL_F_NUMA_BALANCING);
    }
    boolean none = mode == MPOL_DEFAULT || mode == MPOL_LOCAL;
    NodeMask mask = none && chance(80) || chance(5) ? NodeMask.NONE
        : NodeMask.of(chance(75) ? 1 : random.nextInt(4));
    long maxNode = mask.isNone() ? 0 : chance(90) ? 64 : random.nextInt(chance(80) ? 70 : 2000);
    if (mode != MPOL_DEFAULT && chance(4)) {
      maxNode = chance(50) ? 32769 + random.nextInt(3) : -1;
      mask = NodeMask.NONE;
    }
    if (chance(5)) {
      return new SystemCall.SetMempolicy(0, mode, mask, maxNode, null);
    }
    long at = any();
    long size = length();
    int flags = 0;
    if (mask.equals(NodeMask.of(1)) && maxNode > 1 && chance(10)) {
      // With other masks it matters which pages of files are in memory.
      flags = random.nextInt(chance(80) ? 8 : 16);
    }
    return safe(at, size)
        ? new SystemCall.Mbind(0, at, size, mode, mask, maxNode, flags, null)
        : null;
  }

  private @Nullable Event rare() {
    int dice = random.nextInt(100);
    if (level <= 2 || dice < 10) {
      return dice % 2 == 0
          ? new SystemCall.Msync(0, any(), length(), random.nextInt(level > 2 ? 9 : 5), null)
          : mincore();
    } else if (dice < 20) {
      long at = any();
      long size = length();
      return safe(at, size)
          ? new SystemCall.RemapFilePages(0, at, size, chance(10) ? PROT_READ : 0,
              random.nextInt(20), chance(10) ? MAP_NONBLOCK : 0, null)
          : null;
    } else if (level == 3 || dice < 45) {
      return level >= 4 && dice < 30 ? lockAll() : mincore();
    } else if (dice < 55) {
      return limit();
    } else if (dice < 68) {
      return fork();
    } else if (dice < 70) {
      // Names of anonymous memory: PR_SET_VMA_ANON_NAME.
      return new SystemCall.Prctl(0, PR_SET_VMA, 0, any(), length(), 0, null);
    } else if (level == 4) {
      return touch();
    } else if (dice < 78) {
      long at = any();
      long size = length();
      return safe(at, size) ? new SystemCall.Mseal(0, at, size, chance(3) ? 1 : 0, null) : null;
    } else if (dice < 82) {
      return new SystemCall.PkeyAlloc(0, chance(5) ? 1 : 0, random.nextInt(chance(5) ? 8 : 4),
          null);
    } else if (dice < 84) {
      return new SystemCall.PkeyFree(0, random.nextInt(17) - 1, null);
    }
    long at = any();
    long size = length();
    return safe(at, size)
        ? new SystemCall.PkeyMprotect(0, at, size, pick(PROTECTIONS), random.nextInt(6) - 1, null)
        : null;
  }

  private @Nullable Event mmap() {
    long at = chance(40) ? 0 : any();
    long size = newLength();
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    int fd = -1;
    long offset = 0;
    if (at != 0 && chance(65)) {
      flags |= chance(15) && level >= 2 ? MAP_FIXED_NOREPLACE : MAP_FIXED;
    }
    if (level >= 2) {
      flags |= one(8, MAP_NORESERVE) | one(4, MAP_STACK);
    }
    if (level >= 3) {
      if (chance(40)) {
        flags &= ~MAP_ANONYMOUS;
        fd = HostFiles.DESCRIPTORS[random.nextInt(HostFiles.DESCRIPTORS.length)];
        offset = 4096L * random.nextInt(chance(80) ? 16 : 2048);
        if (chance(2)) {
          offset = chance(50) ? 0x800 : -4096L;
        }
      } else if (chance(3)) {
        fd = 99;
      } else if (chance(3)) {
        offset = 4096L * random.nextInt(16);
      }
      if (chance(35)) {
        flags = flags & ~MAP_TYPE | (chance(80) ? MAP_SHARED : chance(80) ? MAP_SHARED_VALIDATE
            : random.nextInt(16));
      }
      flags |= one(2, MAP_32BIT) | one(1, MAP_DENYWRITE) | one(1, MAP_EXECUTABLE)
          | one(1, MAP_NONBLOCK) | one(1, MAP_SYNC) | one(1, MAP_HUGETLB);
    }
    if (level >= 4) {
      flags |= one(10, MAP_GROWSDOWN) | one(5, MAP_LOCKED) | one(5, MAP_POPULATE);
    }
    if (level >= 5 && chance(5)) {
      flags = flags & ~MAP_TYPE | MAP_DROPPABLE;
    }
    if ((flags & MAP_HUGETLB) != 0) {
      // Without a reservation it succeeds, and huge pages are not built.
      flags &= ~MAP_NORESERVE;
    }
    boolean fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    if (fixed && !safe(at, size)) {
      return null;
    }
    int prot = pick(PROTECTIONS);
    if (level >= 3 && chance(2)) {
      prot |= chance(50) ? PROT_SEM : 0x4000_0000;
    }
    return new SystemCall.Mmap(0, at, size, prot, flags, fd, offset, null);
  }

  private @Nullable Event munmap() {
    long at = any();
    long size = length();
    return safe(at, size) ? new SystemCall.Munmap(0, at, size, null) : null;
  }

  private @Nullable Event mprotect() {
    long at = any();
    long size = length();
    int prot = pick(PROTECTIONS);
    if (level >= 4 && chance(4)) {
      prot |= chance(90) ? PROT_GROWSDOWN : PROT_GROWSUP;
    }
    if (level >= 3 && chance(1)) {
      prot |= 0x4000_0000;
    }
    return safe(at, size) ? new SystemCall.Mprotect(0, at, size, prot, null) : null;
  }

  private Event brk() {
    if (chance(15)) {
      return new SystemCall.Brk(0, 0, null);
    }
    long at = startBrk + 4096L * (random.nextInt(24) - 2);
    if (level >= 2 && chance(5)) {
      at += HUGE;
    }
    if (chance(20)) {
      at += random.nextInt(4096);
    }
    return new SystemCall.Brk(0, at, null);
  }

  private @Nullable Event touch() {
    long at = any();
    if (chance(20)) {
      at += random.nextInt(4096);
    }
    if (at >= BareProgram.TEXT && at < BareProgram.TEXT + 4096) {
      return null;
    }
    // The first word of a ring says which context it is, and a touch writes nothing to the engine's.
    boolean write = chance(60) && areas.kindAt(at) != AreaView.RING;
    return new Touch(0, at, write ? Access.WRITE : Access.READ, "");
  }

  private @Nullable Event mremap() {
    long at = any();
    long size = length();
    long to = 0;
    int flags = chance(75) ? MREMAP_MAYMOVE : 0;
    long newSize = chance(35) ? size : chance(50) ? newLength() : size + 4096L * random.nextInt(16);
    if (level >= 3) {
      if (chance(45)) {
        flags |= MREMAP_FIXED | MREMAP_MAYMOVE;
        to = any();
      }
      if (chance(10)) {
        flags |= MREMAP_DONTUNMAP;
        if (chance(90)) {
          flags |= MREMAP_MAYMOVE;
          newSize = size;
        }
        if (to == 0 && chance(30)) {
          to = any();
        }
      }
      if (chance(2)) {
        flags = random.nextInt(16);
      }
      if (chance(6)) {
        size = 0;
      }
    }
    // A large old length is no harm, a large new one may be filled.
    if (newSize > 16L << 20 && newSize < 1L << 47) {
      newSize = size < 16L << 20 ? size : 4096;
    }
    if (!safe(at, size) || !safe(at, newSize) || !safe(to, newSize)) {
      return null;
    }
    return new SystemCall.Mremap(0, at, size, newSize, flags, to, null);
  }

  private @Nullable Event madvise() {
    long at = any();
    long size = length();
    int advice = pick(ADVICE_2);
    if (level >= 3 && chance(8)) {
      advice = pick(ADVICE_3);
    }
    if (level >= 4 && chance(25)) {
      advice = pick(ADVICE_4);
    }
    if (advice == MADV_COLLAPSE && chance(80)) {
      at = hugeRoom();
      size = HUGE * (chance(80) ? 1 : 2);
    } else if (advice == MADV_REMOVE && chance(50)) {
      int i = random(AreaView.SEGMENT);
      at = i < 0 ? at : areas.start(i);
      size = 4096L * (1 + random.nextInt(4));
    }
    if (advice == MADV_COLLAPSE && areas.anyOf(AreaView.MEMORY_FILE, at, size)) {
      // Which pages of a memory file are in memory is not known to the engine.
      return null;
    }
    if (!hugePages && (advice == MADV_HUGEPAGE || advice == MADV_COLLAPSE)) {
      return null;
    }
    return safe(at, size) ? new SystemCall.Madvise(0, at, size, advice, null) : null;
  }

  /** The first aligned 2 MiB of some area that holds them. */
  private long hugeRoom() {
    long found = HUGE_WINDOW + HUGE * random.nextInt(12);
    int count = 0;
    for (int i = 0; i < areas.count(); i++) {
      long room = areas.start(i) + HUGE - 1 & -HUGE;
      if (areas.end(i) - room >= HUGE && random.nextInt(++count) == 0) {
        found = room;
      }
    }
    return found;
  }

  private Event lock() {
    long at = any();
    long size = length();
    return switch (random.nextInt(5)) {
      case 0, 1 -> new SystemCall.Mlock(0, at, size, null);
      case 2 -> new SystemCall.Mlock2(
          0, at, size, level >= 3 && chance(5) ? 2 : random.nextInt(2), null);
      default -> new SystemCall.Munlock(0, at, size, null);
    };
  }

  private Event lockAll() {
    // All future mappings locked is a state that hides others: not for long.
    if (lockedFuture || chance(40)) {
      lockedFuture = false;
      return new SystemCall.Munlockall(0, null);
    }
    int flags = random.nextInt(chance(5) ? 16 : 8);
    lockedFuture = (flags & MCL_FUTURE) != 0;
    return new SystemCall.Mlockall(0, flags, null);
  }

  private Event mincore() {
    long vector = chance(70) ? BareProgram.DATA : any() & -4096;
    if (vector >= BareProgram.TEXT - 4096 && vector < BareProgram.TEXT + 4096) {
      vector = BareProgram.DATA;
    }
    if (areas.kindAt(vector) == AreaView.RING) {
      vector = BareProgram.DATA;
    }
    if (chance(40) || areas.count() == 0) {
      return new SystemCall.Mincore(0, any(), Math.min(length(), 1L << 20), vector, null);
    }
    // A whole area, or its first pages, told to some other one.
    int i = random.nextInt(areas.count());
    int to = random.nextInt(areas.count());
    if (chance(70) && areas.kind(to) != AreaView.RING) {
      vector = areas.start(to);
    }
    return new SystemCall.Mincore(
        0, areas.start(i), Math.min(areas.end(i) - areas.start(i), 1L << 20), vector, null);
  }

  private @Nullable Event limit() {
    if (!limits) {
      return null;
    }
    String resource = LIMITS[random.nextInt(LIMITS.length)];
    long now = areas.bytes();
    Long soft = chance(60) ? Long.valueOf(-1)
        : Long.valueOf(switch (resource) {
          case "RLIMIT_STACK" -> 4096L * random.nextInt(4096);
          case "RLIMIT_AS" -> now + 4096L * random.nextInt(400);
          default -> 4096L * random.nextInt(1000);
        });
    // A stack without a limit grows by half a gigabyte at a touch, and then may be locked.
    if (soft == -1 && (resource.equals("RLIMIT_MEMLOCK") || resource.equals("RLIMIT_STACK"))) {
      soft = 8L << 20;
    }
    if (!resource.equals("RLIMIT_DATA")) {
      return new SetLimit(0, resource, soft, -1);
    }
    if (lowersData && chance(30)) {
      // "Workaround for Valgrind": while the soft limit is 0 the hard one counts.
      soft = 0L;
      long lower = now + 4096L * random.nextInt(4000);
      dataMaximum = Long.compareUnsigned(lower, dataMaximum) < 0 ? lower : dataMaximum;
    }
    return new SetLimit(0, resource,
        Long.compareUnsigned(soft, dataMaximum) < 0 ? soft : Long.valueOf(dataMaximum),
        dataMaximum);
  }

  private @Nullable Event fork() {
    if (alive > 5) {
      alive = 0;
      return new Note.OthersExit(0);
    }
    int pid = ++children;
    if (level >= 5 && !rings && chance(40)) {
      alive++;
      return new Note.Follow(0, pid);
    }
    boolean exits = chance(50);
    if (!exits) {
      alive++;
    }
    return new Note.Child(0, pid, exits);
  }

  /** An address, mostly a page's first. */
  private long any() {
    long at = address();
    if (level >= 3) {
      if (chance(2)) {
        return BAD_ADDRESSES[random.nextInt(BAD_ADDRESSES.length)];
      } else if (chance(2)) {
        return at + random.nextInt(4096);
      }
    }
    return at;
  }

  private long address() {
    int dice = random.nextInt(100);
    if (dice < 50 && areas.count() > 0) {
      int i = random.nextInt(areas.count());
      long start = areas.start(i);
      long end = areas.end(i);
      return switch (random.nextInt(6)) {
        case 0, 1 -> start;
        case 2 -> end;
        case 3 -> start - 4096L * (1 + random.nextInt(3));
        case 4 -> end - 4096L * (1 + random.nextInt(3));
        default -> start + (long) (random.nextDouble() * ((end - start) >>> 12)) * 4096;
      };
    } else if (dice < 82) {
      return WINDOW + 4096L * random.nextInt(WINDOW_PAGES);
    } else if (dice < 90 && level >= 2) {
      return HUGE_WINDOW + HUGE * random.nextInt(12)
          + (chance(30) ? 4096L * (random.nextInt(9) - 4) : 0);
    } else if (dice < 95) {
      return startBrk + 4096L * random.nextInt(20);
    }
    return bottomUp ? mmapBase + 4096L * random.nextInt(64)
        : mmapBase - 4096L * random.nextInt(64);
  }

  /** A length for what is there. */
  private long length() {
    int dice = random.nextInt(100);
    if (dice < 50) {
      return 4096L * (1 + random.nextInt(8));
    } else if (dice < 75) {
      return 4096L * (1 + random.nextInt(48));
    } else if (dice < 88 && areas.count() > 0) {
      int i = random.nextInt(areas.count());
      long size = areas.end(i) - areas.start(i);
      return size > 64L << 20 ? 4096 : size;
    } else if (dice < 92) {
      return 1 + random.nextInt(64 << 10);
    } else if (dice < 97 && level >= 2) {
      return HUGE * (1 + random.nextInt(2)) + (chance(30) ? 4096 : 0);
    } else if (level >= 3) {
      return BAD_LENGTHS[random.nextInt(BAD_LENGTHS.length)];
    }
    return 4096;
  }

  /** A length for something new: little enough to be filled, or more than there can be. */
  private long newLength() {
    long size = length();
    if (areas.bytes() > CROWDED && size > 48 * 4096 && size < 1L << 47) {
      return 4096L * (1 + random.nextInt(48));
    }
    return size;
  }

  /** Whether a range spares the program's own text. Rounding included; a range that wraps is refused. */
  private static boolean safe(long at, long size) {
    long start = at & -4096;
    if (size < 0 || size > TASK_SIZE) {
      // An error before anything happens, or everything from here on.
      return start > BareProgram.TEXT || start < 0;
    }
    long end = at + size + 4095;
    return start < 0 || end < 0 || start > BareProgram.TEXT || end <= BareProgram.TEXT;
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  private int one(int percent, int flag) {
    return chance(percent) ? flag : 0;
  }

  private int pick(int[] choices) {
    return choices[random.nextInt(choices.length)];
  }
}
