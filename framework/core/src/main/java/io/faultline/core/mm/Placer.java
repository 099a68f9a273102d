// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.MAP_32BIT;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SHIFT;

import io.faultline.core.area.Area;
import io.faultline.core.area.Decisions;
import io.faultline.core.area.UnmappedArea;
import io.faultline.core.device.OpenFileObject;
import io.faultline.device.Placement;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * Chooses where a mapping goes ({@code get_unmapped_area} and all it calls on x86-64). The space's
 * lock is held.
 */
final class Placer {
  /** Bytes that one entry of a page middle directory maps. */
  static final long PMD_SIZE = 2L << 20;

  private static final int MAP_ABOVE4G = 0x80;
  private static final long MAP_32BIT_BEGIN = 0x4000_0000L;
  private static final long MAP_32BIT_END = 0x8000_0000L;
  private static final long FOUR_GIB = 1L << 32;
  private static final int MAX_ERRNO = 4095;

  private final AddressSpace space;
  private final Decisions decisions;

  Placer(AddressSpace space) {
    this.space = space;
    this.decisions = space.decisions();
  }

  /**
   * {@code __get_unmapped_area}.
   *
   * @param hint a wish, or with MAP_FIXED an order; bytes
   * @param length in bytes, a multiple of the page size
   * @param pageOffset in pages
   * @return the address
   * @throws ErrnoException ENOMEM where there is no room, EINVAL when a fixed address is not aligned,
   *     EPERM when it is too low
   */
  long place(@Nullable OpenFileObject file, long hint, long length, long pageOffset, int flags)
      throws ErrnoException {
    try {
      long address = placeChecked(file, hint, length, pageOffset, flags);
      if ((flags & MAP_FIXED) != 0) {
        decisions.by(PlacementRule.FIXED, address, address + length);
      }
      return address;
    } catch (ErrnoException refused) {
      throw decisions.refused(PlacementRule.CHECKS, refused);
    }
  }

  /**
   * Whether a range may be mapped at all; nothing is chosen.
   *
   * @throws ErrnoException as {@link #place}
   */
  void check(long address, long length) throws ErrnoException {
    try {
      placeChecked(null, address, length, 0, MAP_FIXED);
    } catch (ErrnoException refused) {
      throw decisions.refused(PlacementRule.CHECKS, refused);
    }
  }

  private long placeChecked(
      @Nullable OpenFileObject file, long hint, long length, long pageOffset, int flags)
      throws ErrnoException {
    long taskSize = space.profile().taskSize();
    if (Args.above(length, taskSize)) {
      throw Args.noMemory("length: is larger than user space");
    }
    long address = choose(file, hint, length, file == null ? 0 : pageOffset, flags);
    if (Args.above(address, -1L - MAX_ERRNO)) {
      // RULES 14: Linux takes such a fixed address for an error number.
      throw decisions.refused(PlacementRule.ERROR_ADDRESS, errorAddress(address));
    }
    if (Args.above(address, taskSize - length)) {
      throw Args.noMemory("address, length: the range leaves user space");
    }
    Args.requireAligned("address", address);
    if (address < space.profile().mmapMinAddress() && !space.credentials().rawIo()) {
      throw decisions.refused(
          PlacementRule.LOWEST_ADDRESS,
          new ErrnoException(
              Errno.EPERM,
              "address: below vm.mmap_min_addr, " + space.profile().mmapMinAddress()));
    }
    return address;
  }

  /** Raises a hint that is too low ({@code round_hint_to_min}). */
  long roundHint(long hint) {
    long rounded = Args.pageStart(hint);
    long lowest = space.profile().lowestPlacement();
    if (rounded != 0 && Args.below(rounded, lowest)) {
      decisions.by(PlacementRule.HINT_RAISED, lowest, lowest);
      return lowest;
    }
    return rounded;
  }

  private long choose(
      @Nullable OpenFileObject file, long hint, long length, long pageOffset, int flags)
      throws ErrnoException {
    boolean shared = (flags & MAP_SHARED) != 0;
    Placement placement = file == null ? Placement.DEFAULT : file.placement();
    boolean huge =
        file == null
            ? !shared && hint == 0 && (length & (PMD_SIZE - 1)) == 0
            : placement == Placement.HUGE_PAGE || (placement == Placement.ZERO_DEVICE && !shared);
    return huge
        ? hugeAligned(hint, length, pageOffset, flags)
        : plain(hint, length, flags);
  }

  /**
   * RULES 8: congruent to the file offset modulo 2 MiB where the mapping holds an aligned 2 MiB
   * ({@code thp_get_unmapped_area}): a gap of 2 MiB more is sought, and the place chosen in it.
   */
  private long hugeAligned(long hint, long length, long pageOffset, int flags)
      throws ErrnoException {
    long offset = pageOffset << PAGE_SHIFT;
    long offsetEnd = offset + length;
    long firstAligned = (offset + PMD_SIZE - 1) & -PMD_SIZE;
    long padded = length + PMD_SIZE;
    boolean holdsHugePage = offsetEnd > firstAligned && offsetEnd - firstAligned >= PMD_SIZE;
    if (holdsHugePage && !Args.below(padded, length) && !Args.below(offset + padded, offset)) {
      long found = tryPlain(hint, padded, flags);
      if (found == hint && found != UnmappedArea.NONE) {
        return hint;
      }
      if (found != UnmappedArea.NONE && !Args.above(found, -1L - MAX_ERRNO)) {
        long shift = (offset - found) & (PMD_SIZE - 1);
        long address =
            !space.layout().legacyLayout() && shift == 0 ? found + PMD_SIZE : found + shift;
        decisions.by(PlacementRule.HUGE_ALIGNED, address, address + length);
        return address;
      }
    }
    return plain(hint, length, flags);
  }

  private long plain(long hint, long length, int flags) throws ErrnoException {
    if ((flags & MAP_FIXED) != 0) {
      return hint;
    }
    long found = tryPlain(hint, length, flags);
    if (found == UnmappedArea.NONE) {
      throw Args.noMemory("length: there is no free range of " + length + " bytes");
    }
    return found;
  }

  private long tryPlain(long hint, long length, int flags) {
    if (Args.above(length, space.profile().taskSize())) {
      return UnmappedArea.NONE;
    }
    if ((flags & MAP_FIXED) != 0) {
      return hint;
    }
    if (space.layout().legacyLayout() || (flags & MAP_32BIT) != 0) {
      return bottomUp(hint, length, flags);
    }
    if (hint != 0) {
      long wish = Args.pageStart(hint);
      if (hintValid(wish, length) && isFree(wish, length)) {
        decisions.by(PlacementRule.HINT_TAKEN, wish, wish + length);
        return wish;
      }
      refuseHint(wish, length);
    }
    long low = (flags & MAP_ABOVE4G) != 0 ? FOUR_GIB : 0;
    long found =
        space.unmapped().topDown(lowest(low), space.layout().mmapBase(), length);
    if (found != UnmappedArea.NONE) {
      chose(PlacementRule.TOP_DOWN, found, length);
      return found;
    }
    return bottomUp(hint, length, flags);
  }

  private long bottomUp(long hint, long length, int flags) {
    boolean low32 = (flags & MAP_32BIT) != 0;
    long begin = low32 ? MAP_32BIT_BEGIN : legacyBase();
    long end = low32 ? MAP_32BIT_END : space.profile().taskSize();
    if (Args.above(length, end)) {
      return UnmappedArea.NONE;
    }
    if (hint != 0) {
      long wish = Args.pageAlign(hint);
      if (!Args.above(wish, end - length) && isFree(wish, length)) {
        decisions.by(PlacementRule.HINT_TAKEN, wish, wish + length);
        return wish;
      }
      refuseHint(wish, length);
    }
    if ((flags & MAP_ABOVE4G) != 0) {
      begin = Math.max(begin, FOUR_GIB);
    }
    long found = space.unmapped().bottomUp(lowest(begin), end, length);
    if (found != UnmappedArea.NONE) {
      PlacementRule otherwise =
          space.layout().legacyLayout()
              ? PlacementRule.LEGACY_BOTTOM_UP
              : PlacementRule.BOTTOM_UP_FALLBACK;
      chose(low32 ? PlacementRule.LOW_32_BIT : otherwise, found, length);
    }
    return found;
  }

  private void refuseHint(long wish, long length) {
    if (!decisions.wanted()) {
      return;
    }
    Area next = space.areas().find(wish);
    boolean onlyGap = next != null && wish + length <= next.start() && !isFree(wish, length);
    decisions.by(
        onlyGap ? PlacementRule.HINT_IN_STACK_GAP : PlacementRule.HINT_REFUSED, wish,
        wish + length);
  }

  private void chose(PlacementRule rule, long address, long length) {
    if (decisions.wanted()) {
      String text = "%s that holds 0x%x bytes: %x".formatted(rule.text(), length, address);
      decisions.by(rule, address, address + length, text);
    }
  }

  /** Where the bottom-up area begins: a third of user space ({@code TASK_UNMAPPED_BASE}). */
  private long legacyBase() {
    return Args.pageAlign(space.profile().taskSize() / 3);
  }

  private long lowest(long low) {
    return Math.max(low, space.profile().lowestPlacement());
  }

  private boolean hintValid(long wish, long length) {
    long taskSize = space.profile().taskSize();
    if (Args.above(wish, taskSize - length)) {
      return false;
    }
    return (wish > taskSize) == (wish + length > taskSize);
  }

  private boolean isFree(long address, long length) {
    Area next = space.areas().find(address);
    return next == null || address + length <= space.unmapped().startGap(next);
  }

  private static ErrnoException errorAddress(long address) {
    int number = (int) -address;
    Errno errno = Errno.EINVAL;
    try {
      errno = Errno.of(number);
    } catch (IllegalArgumentException unknown) {
      // Linux would return the bare number; the nearest we can say is that the address is invalid.
    }
    return new ErrnoException(
        errno, "address: 0x%x is taken for error %d".formatted(address, number));
  }
}
