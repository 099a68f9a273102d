// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.PAGE_SHIFT;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.AreaSplitter;
import io.faultline.core.area.MappedFile;
import io.faultline.core.area.MergeRequest;
import io.faultline.core.memory.FileMapping;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * The move of an area, or of a part of it, to another place ({@code copy_vma} and {@code
 * move_page_tables}). The space's lock is held for writing; the target range is free.
 */
final class AreaMove {
  private final AddressSpace space;
  private final Area source;
  private final Area target;
  private final long from;
  private final long to;
  private final long length;

  private AreaMove(
      AddressSpace space, Area source, Area target, long from, long to, long length) {
    this.space = space;
    this.source = source;
    this.target = target;
    this.from = from;
    this.to = to;
    this.length = length;
  }

  /**
   * Makes the area at the target: a neighbour that takes it in, or a copy ({@code copy_vma}).
   *
   * <p>RULES 12: anonymous memory that was never faulted takes the offset of its new place, so that
   * it joins what is there; faulted memory keeps the old offset.
   *
   * @param oldLength how much is moved, bytes
   * @param newLength how long the target is, bytes
   */
  static AreaMove copy(
      AddressSpace space, Area area, long from, long oldLength, long to, long newLength)
      throws ErrnoException {
    long pageOffset = area.pageOffsetOf(from);
    if (area.isAnonymous() && area.anonVmas().own() == null) {
      pageOffset = to >>> PAGE_SHIFT;
      space.decisions().by(MmRule.OFFSET_TAKEN, to, to + newLength);
    } else {
      space.decisions().by(MmRule.OFFSET_KEPT, to, to + newLength);
    }
    long sourceStart = area.start();
    Area merged =
        space
            .merger()
            .mergeNew(
                MergeRequest.ofCopy(space.areas(), area, to, to + newLength, pageOffset));
    if (merged != null) {
      // The source itself may have been the neighbour that took it in, or have been removed.
      Area source =
          sourceStart >= merged.start() && sourceStart < merged.end() ? merged : area;
      return new AreaMove(space, source, merged, from, to, oldLength);
    }
    Area copy = AreaSplitter.duplicate(area, to, to + newLength, pageOffset);
    copy.anonVmas().copyFrom(area.anonVmas());
    MappedFile file = area.mappedFile();
    if (file != null) {
      file.get();
    }
    AreaOperations operations = copy.operations();
    if (operations != null && operations.hasOpen()) {
      operations.open(copy);
    }
    space.areas().insert(copy);
    return new AreaMove(space, area, copy, from, to, oldLength);
  }

  /** The area that the pages come from; it is the target when the two have become one. */
  Area source() {
    return source;
  }

  Area target() {
    return target;
  }

  /**
   * Moves the page-table entries; moves them back when the driver refuses.
   *
   * @return the driver's refusal, or null
   */
  @Nullable ErrnoException movePages() {
    move(from, to);
    AreaOperations operations = target.operations();
    if (operations != null && operations.hasMremap()) {
      try {
        operations.mremap(target);
      } catch (ErrnoException refused) {
        move(to, from);
        return refused;
      }
    }
    return null;
  }

  /** Who looks for a file's entries must not look in the new place before and in the old one after. */
  private void move(long old, long target) {
    MappedFile file = source.mappedFile();
    FileMapping mapping = file == null ? null : file.places();
    if (mapping == null) {
      space.tables().move(old, length, target);
      return;
    }
    mapping.placesChange().lock();
    try {
      space.tables().move(old, length, target);
    } finally {
      mapping.placesChange().unlock();
    }
  }
}
