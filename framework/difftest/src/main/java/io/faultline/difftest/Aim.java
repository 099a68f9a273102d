// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.host.ptrace.BareProgram;
import io.faultline.kernel.MmLayout;
import java.util.Random;

/** Chance, and the addresses and lengths that it draws: mostly where something is. */
final class Aim {
  private static final long WINDOW = 0x2000_0000L;
  private static final int WINDOW_PAGES = 0xd0;
  private static final long HUGE_WINDOW = 0x4000_0000L;

  static final long HUGE = 2L << 20;
  private static final long TASK_SIZE = 0x7fff_ffff_f000L;
  /** Above this, new mappings stay small: everything may be locked into memory at once. */
  private static final long CROWDED = 40L << 20;
  private static final long[] BAD_ADDRESSES = {
    0, 1, 0x1000, 0x2000, 0x8000, 0xf000, 0x10000, 0x11000, TASK_SIZE - 4096, TASK_SIZE,
    TASK_SIZE + 4096, 0x8000_0000_0000L, 0xffff_8000_0000_0000L, -1, -4096, -8192, Long.MIN_VALUE,
    Long.MAX_VALUE};
  private static final long[] BAD_LENGTHS = {
    0, 0, 1, 4095, -1, -4096, -8192, 1L << 47, TASK_SIZE, Long.MIN_VALUE, Long.MAX_VALUE};

  private final Random random;
  private final int level;
  private final long startBrk;
  private final long mmapBase;
  private final boolean bottomUp;
  private AreaView areas = AreaView.of("");

  /**
   * @param layout where the heap and the mappings begin
   */
  Aim(long seed, int level, MmLayout layout) {
    this.random = new Random(seed);
    this.level = level;
    this.startBrk = layout.startBrk();
    this.mmapBase = layout.mmapBase();
    this.bottomUp = layout.legacyLayout();
  }

  /** From now on this is what is mapped. */
  void look(String maps) {
    areas = AreaView.of(maps);
  }

  AreaView areas() {
    return areas;
  }

  int level() {
    return level;
  }

  long startBrk() {
    return startBrk;
  }

  // ---- chance -----------------------------------------------------------------------------------

  int nextInt() {
    return random.nextInt();
  }

  int nextInt(int bound) {
    return random.nextInt(bound);
  }

  boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  int one(int percent, int flag) {
    return chance(percent) ? flag : 0;
  }

  int pick(int[] choices) {
    return choices[random.nextInt(choices.length)];
  }

  /** One of the areas of a kind, or -1. */
  int random(char kind) {
    int found = -1;
    int count = 0;
    for (int i = 0; i < areas.count(); i++) {
      if (areas.kind(i) == kind && random.nextInt(++count) == 0) {
        found = i;
      }
    }
    return found;
  }

  // ---- addresses --------------------------------------------------------------------------------

  /** An address, mostly a page's first. */
  long any() {
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

  long address() {
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

  /** The first aligned 2 MiB of some area that holds them. */
  long hugeRoom() {
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

  // ---- lengths ----------------------------------------------------------------------------------

  /** A length for what is there. */
  long length() {
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
  long newLength() {
    long size = length();
    if (areas.bytes() > CROWDED && size > 48 * 4096 && size < 1L << 47) {
      return 4096L * (1 + random.nextInt(48));
    }
    return size;
  }

  /** Whether a range spares the program's own text. Rounding included; a range that wraps is refused. */
  static boolean safe(long at, long size) {
    long start = at & -4096;
    if (size < 0 || size > TASK_SIZE) {
      // An error before anything happens, or everything from here on.
      return start > BareProgram.TEXT || start < 0;
    }
    long end = at + size + 4095;
    return start < 0 || end < 0 || start > BareProgram.TEXT || end <= BareProgram.TEXT;
  }
}
