// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;
import static io.faultline.core.area.VmBits.VM_DONTEXPAND;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_LOCKED_MASK;
import static io.faultline.core.area.VmBits.VM_MAYSHARE;
import static io.faultline.core.area.VmBits.VM_PFNMAP;
import static io.faultline.core.area.VmBits.VM_SEALED;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.MREMAP_DONTUNMAP;
import static io.faultline.mm.Mman.MREMAP_FIXED;
import static io.faultline.mm.Mman.MREMAP_MAYMOVE;
import static io.faultline.mm.Mman.PAGE_SHIFT;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.MergeRequest;
import io.faultline.core.device.OpenFileObject;
import io.faultline.device.Placement;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * {@code mremap(2)}: {@code do_mremap} of Linux 6.17 and later, which moves several areas at once
 * where nothing is resized (RULES 9). The lock is held for writing.
 */
public final class MremapOperation {
  private enum Kind {
    SAME_SIZE,
    SHRINK,
    EXPAND
  }

  private final AddressSpace space;
  private final int flags;
  private long address;
  private long oldLength;
  private long newLength;
  private long newAddress;
  private Kind kind = Kind.SAME_SIZE;
  private long delta;
  private long populateStart;
  private long populateLength;

  private MremapOperation(
      AddressSpace space,
      long address,
      long oldLength,
      long newLength,
      int flags,
      long newAddress) {
    this.space = space;
    this.address = address;
    this.oldLength = oldLength;
    this.newLength = newLength;
    this.flags = flags;
    this.newAddress = newAddress;
  }

  public static MmapResult mremap(
      AddressSpace space, long address, long oldLength, long newLength, int flags, long newAddress)
      throws ErrnoException {
    MremapOperation operation =
        new MremapOperation(
            space,
            address,
            Args.pageAlign(oldLength),
            Args.pageAlign(newLength),
            flags,
            newAddress);
    long result = operation.run();
    return new MmapResult(
        result, new PopulateRange(operation.populateStart, operation.populateLength));
  }

  private long run() throws ErrnoException {
    checkParameters();
    if ((flags & MREMAP_FIXED) != 0 && oldLength == newLength) {
      space.decisions().by(MmRule.SEVERAL_MOVED, address, address + oldLength);
      return moveSeveral();
    }
    Area area = checkArea(space.areas().findAt(address));
    return impliesNewAddress() ? moveTo(area) : resizeAt(area);
  }

  /** Whether the caller names the new place. */
  private boolean impliesNewAddress() {
    return (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) != 0;
  }

  /** {@code check_mremap_params}. */
  private void checkParameters() throws ErrnoException {
    long taskSize = space.profile().taskSize();
    if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) != 0) {
      throw Args.invalid("flags: 0x" + Integer.toHexString(flags) + " has unknown bits");
    }
    Args.requireAligned("oldAddress", address);
    if (newLength == 0) {
      throw Args.invalid("newLength: is 0");
    }
    if (Args.above(newLength, taskSize)) {
      throw Args.invalid("newLength: is larger than user space");
    }
    if (!impliesNewAddress()) {
      return;
    }
    if (Args.above(newAddress, taskSize - newLength)) {
      throw Args.invalid("newAddress: the range leaves user space");
    }
    Args.requireAligned("newAddress", newAddress);
    if ((flags & MREMAP_MAYMOVE) == 0) {
      throw Args.invalid("flags: MREMAP_FIXED and MREMAP_DONTUNMAP need MREMAP_MAYMOVE");
    }
    if ((flags & MREMAP_DONTUNMAP) != 0 && oldLength != newLength) {
      throw Args.invalid("newLength: MREMAP_DONTUNMAP cannot resize");
    }
    boolean overlap =
        Args.below(newAddress, address + oldLength) && Args.below(address, newAddress + newLength);
    if (overlap) {
      throw Args.invalid("newAddress: the new range overlaps the old one");
    }
    if (space.areas().size() + 2 >= space.profile().maxMapCount() - 3) {
      throw space.tooManyAreas();
    }
  }

  /**
   * Moves all areas of a range, keeping the holes between them ({@code remap_move}).
   *
   * <pre>
   *        old range                     new range
   *   |--a--|    |--b--|-c-|    →    |--a'-|    |--b'-|-c'|
   * </pre>
   *
   * What was moved before an error stays moved.
   */
  private long moveSeveral() throws ErrnoException {
    long start = address;
    long end = address + oldLength;
    long target = newAddress;
    long result = 0;
    long lastEnd = 0;
    boolean seen = false;
    long cursor = start;
    while (cursor < end) {
      Area area = space.areas().findIntersection(cursor, end);
      if (area == null) {
        break;
      }
      long from = Math.max(area.start(), start);
      long length = Math.min(end, area.end()) - from;
      if (!seen && start < area.start()) {
        throw fault("oldAddress: nothing is mapped at 0x" + Long.toHexString(start));
      }
      long offset = seen ? area.start() - lastEnd : 0;
      lastEnd = area.end();
      address = from;
      newAddress = target + offset;
      oldLength = length;
      newLength = length;
      if (!mayMoveWithOthers(area) && (seen || area.end() < end)) {
        throw fault("oldLength: " + area + " cannot be moved together with others");
      }
      cursor = from + length;
      long moved = moveTo(checkArea(area));
      if (!seen) {
        result = moved;
      }
      seen = true;
      target = moved + length;
    }
    if (!seen) {
      throw fault("oldAddress: nothing is mapped at 0x" + Long.toHexString(start));
    }
    return result;
  }

  /** Not an area whose file chooses addresses by itself ({@code vma_multi_allowed}). */
  private static boolean mayMoveWithOthers(Area area) {
    return !(area.mappedFile() instanceof OpenFileObject file)
        || file.placement() != Placement.ZERO_DEVICE
            && !(file.inode().provider() instanceof SharedMemoryProvider memory
                && memory.isSegment());
  }

  private static ErrnoException fault(String detail) {
    return new ErrnoException(Errno.EFAULT, detail);
  }

  /** {@code check_prep_vma}. */
  private Area checkArea(@Nullable Area found) throws ErrnoException {
    if (found == null) {
      throw fault("oldAddress: nothing is mapped at 0x" + Long.toHexString(address));
    }
    if (found.hasAny(VM_SEALED)) {
      throw new ErrnoException(Errno.EPERM, "oldAddress: the area is sealed");
    }
    kind =
        oldLength == newLength
            ? Kind.SAME_SIZE
            : Args.above(oldLength, newLength) ? Kind.SHRINK
            : Kind.EXPAND;
    // Lengths are unsigned: an old one of nearly 2^64 is a shrink by nearly 2^64.
    delta = kind == Kind.SHRINK ? oldLength - newLength : newLength - oldLength;
    if (!impliesNewAddress()) {
      newAddress = address;
      if (kind != Kind.EXPAND) {
        return found;
      }
    }
    if (oldLength == 0 && !found.hasAny(VM_SHARED | VM_MAYSHARE)) {
      throw Args.invalid("oldLength: 0 duplicates a mapping, which must be shared");
    }
    if ((flags & MREMAP_DONTUNMAP) != 0 && found.hasAny(VM_DONTEXPAND | VM_PFNMAP)) {
      throw Args.invalid("flags: MREMAP_DONTUNMAP of a special mapping");
    }
    long kept = kind == Kind.SHRINK ? newLength : oldLength;
    if (Args.above(kept, found.end() - address)) {
      throw fault("oldLength: reaches beyond the area's end, 0x" + Long.toHexString(found.end()));
    }
    if (newLength == kept) {
      return found;
    }
    if (found.hasAny(VM_LOCKED)) {
      populateLength = delta;
    }
    long pageOffset = found.pageOffsetOf(address);
    if (Args.below(pageOffset + (newLength >>> PAGE_SHIFT), pageOffset)) {
      throw Args.invalid("newLength: the file offset overflows");
    }
    if (found.hasAny(VM_DONTEXPAND | VM_PFNMAP)) {
      throw fault("newLength: the area must not grow");
    }
    if (!space.mlockFutureOk(found.flagBits(), delta)) {
      throw new ErrnoException(Errno.EAGAIN, "newLength: more than RLIMIT_MEMLOCK allows");
    }
    if (!space.mayExpand(found.flagBits(), delta >>> PAGE_SHIFT)) {
      throw Args.noMemory("newLength: more than RLIMIT_AS or RLIMIT_DATA allows");
    }
    return found;
  }

  /** The new place is named by the caller ({@code mremap_to}). */
  private long moveTo(Area checked) throws ErrnoException {
    Area area = checked;
    if ((flags & MREMAP_FIXED) != 0) {
      MunmapOperation.munmap(space, newAddress, newLength);
      area = lookUpAgain();
    }
    if (kind == Kind.SHRINK) {
      MunmapOperation.munmap(space, address + newLength, delta);
      area = lookUpAgain();
      oldLength = newLength;
    }
    if ((flags & MREMAP_DONTUNMAP) != 0
        && !space.mayExpand(area.flagBits(), oldLength >>> PAGE_SHIFT)) {
      throw Args.noMemory("oldLength: more than RLIMIT_AS or RLIMIT_DATA allows");
    }
    newAddress = choosePlace(area);
    return move(area);
  }

  private Area lookUpAgain() throws ErrnoException {
    Area area = space.areas().findAt(address);
    if (area == null) {
      throw fault("oldAddress: was unmapped by the call itself");
    }
    return area;
  }

  /** {@code vrm_set_new_addr}. */
  private long choosePlace(Area area) throws ErrnoException {
    long hint = impliesNewAddress() ? newAddress : 0;
    int mapFlags =
        ((flags & MREMAP_FIXED) != 0 ? MAP_FIXED : 0)
            | (area.hasAny(VM_MAYSHARE) ? MAP_SHARED : 0);
    OpenFileObject file = area.mappedFile() instanceof OpenFileObject object ? object : null;
    return new Placer(space)
        .place(file, hint, newLength, area.pageOffsetOf(address), mapFlags);
  }

  /** The area stays where it is if it can ({@code mremap_at}). */
  private long resizeAt(Area area) throws ErrnoException {
    return switch (kind) {
      case SAME_SIZE -> address;
      case SHRINK -> {
        MunmapOperation.munmap(space, address + newLength, delta);
        yield address;
      }
      case EXPAND -> expand(area);
    };
  }

  /** {@code expand_vma}. */
  private long expand(Area area) throws ErrnoException {
    if (oldLength == area.end() - address && canExpand(area)) {
      expandInPlace(area);
      space.decisions().by(MmRule.GROWN_IN_PLACE, address, address + newLength);
      populateStart = address + oldLength;
      return address;
    }
    space.decisions().by(MmRule.CANNOT_GROW, address, address + newLength);
    if ((flags & MREMAP_MAYMOVE) == 0) {
      throw Args.noMemory("newLength: no room behind the area, and it must not move");
    }
    newAddress = choosePlace(area);
    return move(area);
  }

  /** {@code vma_expandable}. */
  private boolean canExpand(Area area) {
    long end = area.end() + delta;
    if (Args.below(end, area.end())
        || space.areas().findIntersection(area.end(), end) != null) {
      return false;
    }
    try {
      new Placer(space).check(area.start(), end - area.start());
      return true;
    } catch (ErrnoException outside) {
      return false;
    }
  }

  /** {@code expand_vma_in_place}. */
  private void expandInPlace(Area area) throws ErrnoException {
    long charged = charge(area);
    Area merged = space.merger().mergeNew(MergeRequest.ofExtension(space.areas(), area, delta));
    if (merged == null) {
      space.uncharge(charged);
      throw Args.noMemory("newLength: the area cannot be extended");
    }
    accountGrowth(merged, delta);
  }

  /** {@code vrm_calc_charge}. */
  private long charge(Area area) throws ErrnoException {
    if (!area.hasAny(VM_ACCOUNT)) {
      return 0;
    }
    long pages = ((flags & MREMAP_DONTUNMAP) != 0 ? newLength : delta) >>> PAGE_SHIFT;
    space.charge(pages);
    return pages;
  }

  private void accountGrowth(Area area, long bytes) {
    long pages = bytes >>> PAGE_SHIFT;
    space.account().add(area.flagBits(), pages);
    if (area.hasAny(VM_LOCKED)) {
      space.account().addLocked(pages);
    }
  }

  /** {@code move_vma}: copy the area, move the pages, unmap the source. */
  private long move(Area area) throws ErrnoException {
    checkMayMove(area);
    long charged = charge(area);
    AreaMove move;
    try {
      move = AreaMove.copy(space, area, address, oldLength, newAddress, newLength);
    } catch (ErrnoException refused) {
      space.uncharge(charged);
      throw refused;
    }
    accountGrowth(move.target(), newLength);
    ErrnoException refused = move.movePages();
    if (refused != null) {
      unmapSource(move.target(), newAddress, newLength, false);
      throw refused;
    }
    if ((flags & MREMAP_DONTUNMAP) != 0) {
      leaveSource(move);
    } else {
      unmapSource(move.source(), address, oldLength, true);
    }
    populateStart = newAddress + oldLength;
    return newAddress;
  }

  /** {@code prep_move_vma}. */
  private void checkMayMove(Area area) throws ErrnoException {
    if (space.areas().size() >= space.profile().maxMapCount() - 3) {
      throw space.tooManyAreas();
    }
    AreaOperations operations = area.operations();
    if (operations != null && operations.hasMaySplit()) {
      if (area.start() != address) {
        operations.maySplit(area, address);
      }
      if (area.end() != address + oldLength) {
        operations.maySplit(area, address + oldLength);
      }
    }
  }

  /**
   * {@code dontunmap_complete}: the source stays, empty and unlocked. All of its area is, however
   * little was moved, and no page is taken off {@code locked_vm} (so does Linux 6.18).
   */
  private void leaveSource(AreaMove move) {
    Area source = move.source();
    space.decisions().by(MmRule.SOURCE_LEFT, source.start(), source.end());
    if (source.hasAny(VM_LOCKED)) {
      space.account().strandLocked(source.pages());
    }
    source.setFlagBits(source.flagBits() & ~VM_LOCKED_MASK);
    if (move.target() != source
        && source.start() == address
        && source.end() == address + oldLength) {
      source.anonVmas().clear();
    }
  }

  /**
   * {@code unmap_source_vma}. The pages that count for overcommit have moved along: the source's part
   * must not be taken off the account.
   */
  private void unmapSource(Area source, long start, long length, boolean keepAccount) {
    boolean accounted = keepAccount && source.hasAny(VM_ACCOUNT);
    long sourceStart = source.start();
    long sourceEnd = source.end();
    long end = start + length;
    if (accounted) {
      source.setFlagBits(source.flagBits() & ~VM_ACCOUNT);
    }
    try {
      MunmapOperation.munmap(space, start, length);
    } catch (ErrnoException refused) {
      // Nothing to unmap (an old length of 0), or no room to split: the areas stay as they are.
      return;
    }
    if (accounted) {
      if (sourceStart < start) {
        addAccount(space.areas().findPrevious(start));
      }
      if (sourceEnd > end) {
        addAccount(space.areas().find(end));
      }
    }
  }

  private static void addAccount(@Nullable Area remainder) {
    if (remainder != null) {
      remainder.setFlagBits(remainder.flagBits() | VM_ACCOUNT);
    }
  }
}
