// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;
import static io.faultline.core.area.VmBits.VM_COPY_ON_FORK;
import static io.faultline.core.area.VmBits.VM_DONTCOPY;
import static io.faultline.core.area.VmBits.VM_LOCKED_MASK;
import static io.faultline.core.area.VmBits.VM_MAYWRITE;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_WIPEONFORK;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.AreaRule;
import io.faultline.core.area.AreaSplitter;
import io.faultline.core.area.MappedFile;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.paging.Pte;
import io.faultline.core.swap.SwapSpace;
import io.faultline.mm.ErrnoException;

/**
 * The memory part of {@code fork(2)}: {@code dup_mmap}. The parent's lock is held for writing; nobody
 * else knows the child.
 */
public final class ForkOperation {
  private final AddressSpace parent;
  private final AddressSpace child;

  private ForkOperation(AddressSpace parent, AddressSpace child) {
    this.parent = parent;
    this.child = child;
  }

  /**
   * Fills the child.
   *
   * @throws ErrnoException ENOMEM; the child has then been emptied again
   */
  public static void fork(AddressSpace parent, AddressSpace child) throws ErrnoException {
    ForkOperation operation = new ForkOperation(parent, child);
    try {
      operation.run();
    } catch (ErrnoException refused) {
      ExitOperation.exit(child);
      throw refused;
    }
  }

  private void run() throws ErrnoException {
    child.account().copyFrom(parent.account());
    child.keys().copyFrom(parent.keys());
    child.setBrk(parent.brk());
    for (Area area = parent.areas().first(); area != null; area = parent.areas().next(area)) {
      if (area.hasAny(VM_DONTCOPY)) {
        child.account().add(area.flagBits(), -area.pages());
        parent.decisions().by(MmRule.FORK_LEFT_OUT, area.start(), area.end());
      } else {
        copy(area);
      }
    }
    child.account().resetPeak();
    child.setTextPages(parent.textPages());
    parent.tables().flush(0, parent.profile().taskSize());
  }

  private void copy(Area area) throws ErrnoException {
    if (area.hasAny(VM_ACCOUNT)) {
      child.charge(area.pages());
    }
    Area copy =
        AreaSplitter.duplicate(area, child.pid(), area.start(), area.end(), area.pageOffset());
    boolean wipe = area.hasAny(VM_WIPEONFORK);
    if (!wipe) {
      copy.anonVmas().forkFrom(area.anonVmas());
    }
    explain(area, wipe);
    copy.setFlagBits(copy.flagBits() & ~VM_LOCKED_MASK);
    MappedFile file = copy.mappedFile();
    if (file != null) {
      file.get();
    }
    child.areas().insert(copy);
    AreaOperations operations = copy.operations();
    if (operations != null && operations.hasOpen()) {
      operations.open(copy);
    }
    // Other pages come back by a fault; anonymous ones and bare frames would be lost.
    boolean copyPages =
        !wipe && (area.anonVmas().own() != null || area.hasAny(VM_COPY_ON_FORK));
    if (copyPages) {
      FileMapping places = file == null ? null : file.places();
      if (places == null) {
        copyEntries(area);
      } else {
        copyEntries(area, places);
      }
    }
  }

  /** Who looks for a file's entries must not come by the child's place before and ours after. */
  private void copyEntries(Area area, FileMapping places) {
    places.placesChange().lock();
    try {
      copyEntries(area);
    } finally {
      places.placesChange().unlock();
    }
  }

  private void explain(Area area, boolean wiped) {
    if (wiped) {
      parent.decisions().by(MmRule.FORK_EMPTY, area.start(), area.end());
    } else if (area.anonVmas().own() != null) {
      parent.decisions().by(AreaRule.FORKED_CHAIN, area.start(), area.end());
    }
  }

  /**
   * {@code copy_page_range}: both page tables point to the same frames; in memory that may be
   * written privately both lose the right to write, until the first write copies the page.
   */
  private void copyEntries(Area area) {
    boolean copyOnWrite = (area.flagBits() & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
    PhysicalMemory memory = parent.memory();
    SwapSpace swap = parent.services().swap();
    parent
        .tables()
        .visit(
            area.start(),
            area.end(),
            (address, entry) -> {
              if (!Pte.hasFrame(entry)) {
                if (Pte.isSwap(entry)) {
                  swap.duplicate(Pte.swapSlot(entry));
                }
                child.tables().set(address, entry);
                return entry;
              }
              long shared =
                  copyOnWrite && !Pte.isSpecial(entry) ? Pte.writeProtected(entry) : entry;
              if (!Pte.isSpecial(entry)) {
                memory.get(Pte.frame(entry));
              }
              child.tables().set(address, shared & ~Pte.ACCESSED);
              return shared;
            });
  }
}
