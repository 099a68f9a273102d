// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCESS;
import static io.faultline.core.area.VmBits.VM_ACCOUNT;
import static io.faultline.core.area.VmBits.VM_GROWSDOWN;
import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_NORESERVE;
import static io.faultline.core.area.VmBits.VM_PKEY;
import static io.faultline.core.area.VmBits.VM_SEALED;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_STICKY;
import static io.faultline.core.area.VmBits.VM_WRITE;
import static io.faultline.mm.Mman.PAGE_SHIFT;
import static io.faultline.mm.Mman.PROT_EXEC;
import static io.faultline.mm.Mman.PROT_GROWSDOWN;
import static io.faultline.mm.Mman.PROT_GROWSUP;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_SEM;
import static io.faultline.mm.Mman.PROT_WRITE;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlags;

/**
 * {@code mprotect(2)} and {@code pkey_mprotect(2)}: {@code do_mprotect_pkey}. Area by area: an error
 * leaves the areas below it changed. The lock is held for writing.
 */
public final class MprotectOperation {
  private final AddressSpace space;
  private final int prot;
  private final int key;

  private MprotectOperation(AddressSpace space, int prot, int key) {
    this.space = space;
    this.prot = prot;
    this.key = key;
  }

  /**
   * @param key a protection key, or -1 for none
   */
  public static void mprotect(AddressSpace space, long start, long length, int prot, int key)
      throws ErrnoException {
    int grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    int rights = prot & ~(PROT_GROWSDOWN | PROT_GROWSUP);
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP)) {
      throw Args.invalid("prot: PROT_GROWSDOWN and PROT_GROWSUP together");
    }
    Args.requireAligned("address", start);
    if (length == 0) {
      return;
    }
    long end = start + Args.pageAlign(length);
    if (!Args.above(end, start)) {
      throw Args.noMemory("length: the range wraps around");
    }
    if ((rights & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)) != 0) {
      throw Args.invalid("prot: 0x" + Integer.toHexString(rights) + " has unknown bits");
    }
    if (key != ProtectionKeys.NO_KEY && !space.keys().isAllocated(key)) {
      throw Args.invalid("pkey: " + key + " is not allocated");
    }
    new MprotectOperation(space, rights, key)
        .run(Args.clampEnd(start), Args.clampEnd(end), grows);
  }

  private void run(long firstAddress, long end, int grows) throws ErrnoException {
    long start = firstAddress;
    Area area = space.areas().findIntersection(start, end);
    if (area == null) {
      throw Args.hole(start);
    }
    if ((grows & PROT_GROWSDOWN) != 0) {
      start = area.start();
      if (!area.hasAny(VM_GROWSDOWN)) {
        throw Args.invalid("prot: PROT_GROWSDOWN, but the area does not grow down");
      }
    } else {
      if (area.start() > start) {
        throw Args.hole(start);
      }
      if ((grows & PROT_GROWSUP) != 0) {
        throw Args.invalid("prot: PROT_GROWSUP, but no area grows up on x86-64");
      }
    }
    long done = start;
    while (done < end) {
      if (area == null || area.start() > done) {
        throw Args.hole(done);
      }
      long partEnd = Math.min(area.end(), end);
      area = protect(area, done, partEnd);
      done = partEnd;
      if (done < end) {
        area = area.end() > done ? area : space.areas().next(area);
      }
    }
  }

  private Area protect(Area area, long start, long end) throws ErrnoException {
    int newKey = space.keys().forMprotect(area, prot == PROT_EXEC, key);
    if (prot == PROT_EXEC && key == ProtectionKeys.NO_KEY && newKey > 0) {
      space.decisions().by(MmRule.EXECUTE_ONLY_KEY, start, end);
    }
    long newFlags =
        MmapOperation.protBits(prot, newKey) | (area.flagBits() & ~(VM_ACCESS | VM_PKEY));
    if ((newFlags & ~(newFlags >>> 4) & VM_ACCESS) != 0) {
      throw new ErrnoException(
          Errno.EACCES,
          "prot: the mapping at 0x%x must not become %s".formatted(area.start(), rights(newFlags)));
    }
    AreaOperations operations = area.operations();
    if (operations != null && operations.hasMprotect()) {
      operations.mprotect(area, start, end, new VmFlags(newFlags));
    }
    return fixUp(area, start, end, newFlags);
  }

  private static String rights(long flags) {
    return Protection.ofFlags(new VmFlags(flags)).toString();
  }

  /** {@code mprotect_fixup}. */
  private Area fixUp(Area area, long start, long end, long asked) throws ErrnoException {
    long oldFlags = area.flagBits();
    long newFlags = asked;
    if ((oldFlags & VM_SEALED) != 0) {
      throw new ErrnoException(
          Errno.EPERM, "address: the area at 0x%x is sealed".formatted(area.start()));
    }
    if (newFlags == oldFlags) {
      return area;
    }
    long pages = (end - start) >>> PAGE_SHIFT;
    long charged = 0;
    // RULES 6: a private mapping that becomes writable counts for overcommit from then on; one that
    // becomes read-only stops only when it is anonymous and was never faulted.
    if ((newFlags & VM_WRITE) != 0) {
      if (!space.mayExpand(newFlags, pages) && space.mayExpand(oldFlags, pages)) {
        throw Args.noMemory("prot: more writable memory than RLIMIT_DATA allows");
      }
      if ((oldFlags & (VM_ACCOUNT | VM_WRITE | VM_HUGETLB | VM_SHARED | VM_NORESERVE)) == 0) {
        space.charge(pages);
        charged = pages;
        newFlags |= VM_ACCOUNT;
        space.decisions().by(MmRule.ACCOUNT_GAINED, start, end);
      }
    } else if ((oldFlags & VM_ACCOUNT) != 0
        && area.isAnonymous()
        && area.anonVmas().own() == null) {
      newFlags &= ~VM_ACCOUNT;
      space.decisions().by(MmRule.ACCOUNT_LOST, start, end);
    }
    Area changed;
    try {
      changed = space.modify(area, start, end, newFlags);
    } catch (ErrnoException refused) {
      space.uncharge(charged);
      throw refused;
    }
    changed.setFlagBits(newFlags | (changed.flagBits() & VM_STICKY));
    PageProtector.change(space, changed, start, end);
    if ((oldFlags & VM_ACCOUNT) != 0 && (newFlags & VM_ACCOUNT) == 0) {
      space.uncharge(pages);
    }
    space.account().add(oldFlags, -pages);
    space.account().add(newFlags, pages);
    boolean lockedBecomesWritable =
        (oldFlags & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED && (newFlags & VM_WRITE) != 0;
    if (lockedBecomesWritable) {
      populateIgnoringErrors(start, end);
    }
    return changed;
  }

  /** Copies the pages of locked memory now rather than at the first write. */
  private void populateIgnoringErrors(long start, long end) {
    try {
      space.services().faults().populateArea(space, start, end);
    } catch (ErrnoException ignored) {
      // mprotect has succeeded; a page that cannot be had now will be asked for at its first touch.
    }
  }
}
