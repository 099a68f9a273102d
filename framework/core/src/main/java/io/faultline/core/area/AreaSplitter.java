// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.mm.ErrnoException;

/**
 * Cuts an area in two ({@code __split_vma}). The caller holds the address space's lock for writing
 * and has checked the limit on the number of areas.
 */
public final class AreaSplitter {
  private AreaSplitter() {}

  /**
   * Cuts an area at an address; the operations' {@code open} is called for the new half only.
   *
   * <pre>
   *   area                        newBelow               not newBelow
   *  |------------------|   →   |-new-|-- area --|     |area-|-- new ----|
   *        ^ address
   * </pre>
   *
   * @param address aligned to a page, strictly within the area
   * @param newBelow which half becomes the new area
   * @return the new area
   * @throws ErrnoException what the operations' {@code may_split} says; then nothing has changed
   */
  public static Area split(AreaTree tree, Area area, long address, boolean newBelow)
      throws ErrnoException {
    AreaOperations operations = area.operations();
    if (operations != null && operations.hasMaySplit()) {
      operations.maySplit(area, address);
    }
    long middleOffset = area.pageOffsetOf(address);
    Area half =
        newBelow
            ? duplicate(area, area.start(), address, area.pageOffset())
            : duplicate(area, address, area.end(), middleOffset);
    half.anonVmas().copyFrom(area.anonVmas());
    MappedFile file = area.mappedFile();
    if (file != null) {
      file.get();
    }
    if (operations != null && operations.hasOpen()) {
      operations.open(half);
    }
    if (newBelow) {
      tree.resize(area, address, area.end());
      area.setPageOffset(middleOffset);
    } else {
      tree.resize(area, area.start(), address);
    }
    tree.insert(half);
    return half;
  }

  /** A copy with another range; it has no anon_vma and no reference on the file yet. */
  public static Area duplicate(Area area, long start, long end, long pageOffset) {
    return duplicate(area, area.pid(), start, end, pageOffset);
  }

  /** A copy for another process. */
  public static Area duplicate(Area area, int pid, long start, long end, long pageOffset) {
    Area copy = new Area(pid, start, end, pageOffset, area.flagBits(), area.special());
    copy.setFile(area.mappedFile());
    copy.setOperations(area.operations());
    copy.setPrivateData(area.privateData());
    copy.setPolicy(area.policy());
    return copy;
  }
}
