// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import static io.faultline.core.area.VmBits.VM_LOCKED;

import io.faultline.core.memory.FrameCounts;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.Pte;
import java.util.BitSet;
import java.util.List;

/**
 * Looks at every frame once, and adds up. It takes a millisecond for 256 MiB and nothing from those
 * who allocate; while they go on, the sums are of no exact moment. For one thread.
 */
final class MemorySurvey {
  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final BitSet locked = new BitSet();
  private long anonymousMapped;
  private long otherMapped;
  private long file;
  private long shmem;
  private long swapCached;
  private long dirty;
  private long writeback;
  private long activeAnonymous;
  private long inactiveAnonymous;
  private long activeFile;
  private long inactiveFile;

  private MemorySurvey(PhysicalMemory memory) {
    this.memory = memory;
    this.frames = memory.table();
  }

  /**
   * @param spaces of all processes; each one's lock is taken for reading, one after the other
   */
  static MemoryTotals take(PhysicalMemory memory, List<AddressSpace> spaces) {
    MemorySurvey survey = new MemorySurvey(memory);
    for (AddressSpace space : spaces) {
      MapsText.locked(space, () -> survey.addLocked(space));
    }
    memory.forEach(survey::add);
    return survey.totals(spaces.size());
  }

  private void addLocked(AddressSpace space) {
    space
        .areas()
        .forEach(
            area -> {
              if (area.hasAny(VM_LOCKED)) {
                space
                    .tables()
                    .visit(
                        area.start(),
                        area.end(),
                        (address, entry) -> {
                          if (Pte.hasFrame(entry) && !Pte.isSpecial(entry)) {
                            locked.set((int) Pte.frame(entry));
                          }
                          return entry;
                        });
              }
            });
  }

  private void add(long frame, FrameUse use) {
    int flags = frames.flags(frame);
    boolean mapped = frames.mapCount(frame) > 0;
    boolean active = (flags & FrameTable.ACTIVE) != 0;
    boolean listed = !locked.get((int) frame);
    switch (use) {
      case ANONYMOUS -> {
        anonymousMapped += mapped ? 1 : 0;
        swapCached += (flags & FrameTable.SWAP_CACHED) != 0 ? 1 : 0;
        addAnonymous(listed, active);
      }
      case SHMEM -> {
        shmem++;
        otherMapped += mapped ? 1 : 0;
        swapCached += (flags & FrameTable.SWAP_CACHED) != 0 ? 1 : 0;
        addAnonymous(listed, active);
      }
      case FILE -> {
        file++;
        otherMapped += mapped ? 1 : 0;
        dirty += (flags & FrameTable.DIRTY) != 0 ? 1 : 0;
        activeFile += listed && active ? 1 : 0;
        inactiveFile += listed && !active ? 1 : 0;
      }
      case DRIVER -> otherMapped += mapped ? 1 : 0;
      case PAGE_TABLE, KERNEL -> {}
    }
    writeback += (flags & FrameTable.WRITEBACK) != 0 ? 1 : 0;
  }

  private void addAnonymous(boolean listed, boolean active) {
    activeAnonymous += listed && active ? 1 : 0;
    inactiveAnonymous += listed && !active ? 1 : 0;
  }

  /**
   * @param roots tables at the top, which have no frame here
   */
  private MemoryTotals totals(long roots) {
    FrameCounts counts = memory.counts();
    // Frame 0 is never handed out.
    return new MemoryTotals(
        counts.total() - 1, counts.free(), anonymousMapped, otherMapped, file, shmem, swapCached,
        dirty, writeback, activeAnonymous, inactiveAnonymous, activeFile, inactiveFile,
        locked.cardinality(), counts.pageTable() + roots, memory.handedOut());
  }
}
