// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.paging.PageTables;
import io.faultline.core.paging.Pte;
import io.faultline.core.swap.SwapEntry;
import io.faultline.core.swap.SwapSpace;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Proves that page tables, map counts and references agree: counts all entries of all spaces once
 * more. For tests, while nothing else runs.
 */
final class FrameAudit {
  private final PhysicalMemory memory;
  private final int[] mapped;
  private long tableFrames;
  private final Map<Long, Integer> claims = new HashMap<>();

  FrameAudit(PhysicalMemory memory) {
    this.memory = memory;
    this.mapped = new int[(int) memory.frames()];
  }

  /** Adds the entries of one space, and the frames of its tables. */
  void count(PageTables tables) {
    tableFrames += tables.tableFrames();
    tables.visit(
        0,
        1L << 47,
        (address, entry) -> {
          if (Pte.isSwap(entry)) {
            claims.merge(Pte.swapSlot(entry), 1, Integer::sum);
          }
          if (Pte.hasFrame(entry) && !Pte.isSpecial(entry)) {
            mapped[(int) Pte.frame(entry)]++;
            checkDirty(address, entry);
          }
          return entry;
        });
  }

  /** What can be written without a fault is written back: nobody would notice otherwise. */
  private void checkDirty(long address, long entry) {
    long frame = Pte.frame(entry);
    boolean couldBeWritten = Pte.isWritable(entry) || Pte.isDirty(entry);
    boolean file = memory.isLive(frame) && memory.use(frame) == FrameUse.FILE;
    require(
        !file || !couldBeWritten || memory.table().has(frame, FrameTable.DIRTY),
        () -> "the entry at 0x%x lets file page %d be written, but that is clean".formatted(
            address, frame));
  }

  /** Adds the swap entries that stand in the indexes of shared memory. */
  void count(FileMapping mapping) {
    mapping.cache().forEachValue(
        (index, value) -> {
          // A file leaves shadows there.
          if (SwapEntry.isEntry(value)) {
            claims.merge(value, 1, Integer::sum);
          }
        });
  }

  /**
   * Checks the claims on swap slots against what was counted.
   *
   * @throws IllegalStateException naming the first slot whose count is wrong
   */
  void check(SwapSpace swap) {
    claims.forEach(
        (entry, claimed) -> {
          int kept = swap.count(entry);
          require(
              kept == claimed,
              () -> "swap entry 0x" + Long.toHexString(entry) + " is named " + claimed
                  + " times, counted " + kept);
        });
    require(
        swap.devices().usedSlots() == claims.size(),
        () -> swap.devices().usedSlots() + " swap slots are in use, " + claims.size()
            + " are named");
  }

  /**
   * @throws IllegalStateException naming the first frame whose counts are wrong
   */
  void check() {
    long kept = memory.counts().pageTable();
    require(
        kept == tableFrames,
        () -> kept + " frames are page tables, the spaces have " + tableFrames);
    FrameTable table = memory.table();
    for (int frame = 1; frame < mapped.length; frame++) {
      if (!memory.isLive(frame)) {
        int entries = mapped[frame];
        int free = frame;
        require(entries == 0, () -> "frame " + free + " is free, but mapped " + entries + " times");
        continue;
      }
      int number = frame;
      int entries = mapped[frame];
      int counted = table.mapCount(frame);
      require(
          counted == entries,
          () -> "frame " + number + " is mapped by " + entries + " entries, counted " + counted);
      int references = memory.references(frame);
      require(
          references >= entries,
          () -> "frame " + number + " is mapped by " + entries + " entries, but has "
              + references + " references");
      if (memory.use(frame) == FrameUse.ANONYMOUS) {
        int cached = table.has(frame, FrameTable.SWAP_CACHED) ? 1 : 0;
        require(
            references == entries + cached,
            () -> "anonymous frame " + number + " has " + references + " references, "
                + entries + " entries and " + cached + " place in the swap cache");
      }
    }
  }

  private static void require(boolean holds, Supplier<String> what) {
    if (!holds) {
      throw new IllegalStateException(what.get());
    }
  }
}
