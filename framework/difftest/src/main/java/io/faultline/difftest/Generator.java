// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static io.faultline.mm.Mman.*;

import io.faultline.host.ptrace.BareProgram;
import io.faultline.kernel.MmLayout;
import io.faultline.mm.Access;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.SystemCall;
import io.faultline.replay.recording.Touch;
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

  private static final int MANY_AREAS = 150;

  private static final int PR_SET_VMA = 0x53564d41;

  private final Aim aim;
  private final int level;
  /** A child has the rings of its parent, but not its contexts: one or the other. */
  private final boolean rings;
  private final MappingSteps mappings;
  private final ObjectSteps objects;
  private final ProcessSteps process;

  /**
   * @param layout where the heap and the mappings begin
   * @param limits whether the process's limits may be changed
   */
  Generator(long seed, int level, MmLayout layout, boolean limits) {
    this.level = level;
    this.rings = level >= 4 && Math.floorMod(seed, 3) == 0;
    this.aim = new Aim(seed, level, layout);
    this.mappings = new MappingSteps(aim, Math.floorMod(seed, 2) == 0);
    this.objects = new ObjectSteps(aim);
    this.process =
        new ProcessSteps(
            aim, limits, Math.floorMod(seed, 5) == 0, level >= 5 && !rings);
  }

  /**
   * The next step.
   *
   * @param maps what is mapped now
   */
  Event next(String maps) {
    aim.look(maps);
    while (true) {
      Event event = one();
      if (event != null) {
        return event;
      }
    }
  }

  private @Nullable Event one() {
    if (aim.areas().count() > MANY_AREAS && aim.chance(30)) {
      long start = aim.address();
      return Aim.safe(start, 1L << 20) ? new SystemCall.Munmap(0, start & -4096, 1L << 20, null)
          : null;
    }
    int dice = aim.nextInt(100);
    if (level == 1) {
      return dice < 45 ? mappings.mmap() : dice < 65 ? mappings.munmap()
          : dice < 88 ? mappings.mprotect()
          : mappings.brk();
    }
    if (dice < 26) {
      return mappings.mmap();
    } else if (dice < 34) {
      return mappings.munmap();
    } else if (dice < 44) {
      return mappings.mprotect();
    } else if (dice < 48) {
      return mappings.brk();
    } else if (dice < 66) {
      return touch();
    } else if (dice < 77) {
      return mappings.mremap();
    } else if (dice < 86) {
      return mappings.madvise();
    } else if (dice < 90) {
      return process.lock();
    } else if (dice < 95 && level >= 3) {
      return aim.nextInt(5) < 2 ? objects.policy() : rings && aim.chance(40) ? objects.ring()
          : objects.segment();
    }
    return rare();
  }

  private @Nullable Event rare() {
    int dice = aim.nextInt(100);
    if (level <= 2 || dice < 10) {
      return dice % 2 == 0
          ? new SystemCall.Msync(0, aim.any(), aim.length(), aim.nextInt(level > 2 ? 9 : 5), null)
          : process.mincore();
    } else if (dice < 20) {
      long at = aim.any();
      long size = aim.length();
      return Aim.safe(at, size)
          ? new SystemCall.RemapFilePages(0, at, size, aim.chance(10) ? PROT_READ : 0,
              aim.nextInt(20), aim.chance(10) ? MAP_NONBLOCK : 0, null)
          : null;
    } else if (level == 3 || dice < 45) {
      return level >= 4 && dice < 30 ? process.lockAll() : process.mincore();
    } else if (dice < 55) {
      return process.limit();
    } else if (dice < 68) {
      return process.fork();
    } else if (dice < 70) {
      // Names of anonymous memory: PR_SET_VMA_ANON_NAME.
      return new SystemCall.Prctl(0, PR_SET_VMA, 0, aim.any(), aim.length(), 0, null);
    } else if (level == 4) {
      return touch();
    } else if (dice < 78) {
      long at = aim.any();
      long size = aim.length();
      return Aim.safe(at, size) ? new SystemCall.Mseal(0, at, size, aim.chance(3) ? 1 : 0, null)
          : null;
    } else if (dice < 82) {
      return new SystemCall.PkeyAlloc(0, aim.chance(5) ? 1 : 0, aim.nextInt(aim.chance(5) ? 8 : 4),
          null);
    } else if (dice < 84) {
      return new SystemCall.PkeyFree(0, aim.nextInt(17) - 1, null);
    }
    return mappings.pkeyMprotect();
  }

  private @Nullable Event touch() {
    long at = aim.any();
    if (aim.chance(20)) {
      at += aim.nextInt(4096);
    }
    if (at >= BareProgram.TEXT && at < BareProgram.TEXT + 4096) {
      return null;
    }
    // The first word of a ring says which context it is, and a touch writes nothing to the engine's.
    boolean write = aim.chance(60) && aim.areas().kindAt(at) != AreaView.RING;
    return new Touch(0, at, write ? Access.WRITE : Access.READ, "");
  }

}
