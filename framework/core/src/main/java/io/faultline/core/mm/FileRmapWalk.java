// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaTree;
import io.faultline.core.device.FileRmap;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.Place;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.PageTables;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Mman;
import org.jspecify.annotations.Nullable;

/**
 * From a file's pages to their entries, through the places where the file is mapped. Takes the file's
 * {@link FileMapping#placesWalk} and, below it, locks of page tables. Thread-safe.
 */
final class FileRmapWalk implements FileRmap {
  /** A writer that changes an area tree just now may be one that waits for us. */
  private static final int TRIES = 1000;

  private final AddressSpaces spaces;

  FileRmapWalk(AddressSpaces spaces) {
    this.spaces = spaces;
  }

  @Override
  public int writeProtect(FileMapping mapping, long index, long frame) {
    int changed = 0;
    mapping.placesWalk().lock();
    try {
      for (Place place : mapping.places().snapshot()) {
        AddressSpace space = spaces.find(place.pid());
        if (space != null) {
          changed += writeProtect(space.tables(), place.address(index), frame) ? 1 : 0;
        }
      }
    } finally {
      mapping.placesWalk().unlock();
    }
    return changed;
  }

  private static boolean writeProtect(PageTables tables, long address, long frame) {
    while (true) {
      long entry = tables.get(address);
      if (!Pte.hasFrame(entry)
          || Pte.frame(entry) != frame
          || Pte.isSpecial(entry)
          || (entry & (Pte.WRITABLE | Pte.DIRTY)) == 0) {
        return false;
      }
      if (tables.replace(address, entry, Pte.writeProtected(entry) & ~Pte.DIRTY)) {
        tables.flush(address, address + Mman.PAGE_SIZE);
        return true;
      }
    }
  }

  @Override
  public void unmap(FileMapping mapping, long first, long end, boolean copiesToo) {
    mapping.placesWalk().lock();
    try {
      for (Place place : mapping.places().snapshot()) {
        AddressSpace space = spaces.find(place.pid());
        if (space != null) {
          unmap(space, mapping, place, first, end, copiesToo);
        }
      }
    } finally {
      mapping.placesWalk().unlock();
    }
  }

  /**
   * Areas are looked for because of private copies: what a file's area held may by now be somebody
   * else's. An area of this file stays as long as we hold the lock; one that is being cut in two keeps
   * its entries until its second half is linked.
   */
  private static void unmap(
      AddressSpace space,
      FileMapping mapping,
      Place place,
      long first,
      long end,
      boolean copiesToo) {
    long low = Math.max(0, address(place, first));
    long high = Math.min(space.profile().taskSize(), address(place, end));
    long cursor = low;
    while (cursor < high) {
      Area area = find(space.areas(), cursor);
      if (area == null) {
        return;
      }
      long from = Math.max(cursor, area.start());
      long to = Math.min(high, area.end());
      if (from < to && area.liesAt(mapping, place.displacement())) {
        if (copiesToo) {
          PageZapper.zap(space, from, to, true);
        } else {
          zapFilePages(space.tables(), from, to);
        }
      }
      cursor = Math.max(cursor + Mman.PAGE_SIZE, area.end());
    }
  }

  private static void zapFilePages(PageTables tables, long start, long end) {
    FrameGather gather = new FrameGather(tables);
    tables.visit(
        start,
        end,
        (address, entry) -> {
          if (!Pte.hasFrame(entry) || Pte.isSpecial(entry) || Pte.isAnonymous(entry)) {
            return entry;
          }
          gather.add(address, Pte.frame(entry));
          return Pte.NONE;
        });
    gather.finish();
  }

  /** As {@link Place#address}, for indices beyond all files too. */
  private static long address(Place place, long index) {
    return index >= Long.MAX_VALUE >>> Mman.PAGE_SHIFT ? Long.MAX_VALUE : place.address(index);
  }

  private static @Nullable Area find(AreaTree areas, long address) {
    Area area = null;
    for (int i = 0; i < TRIES; i++) {
      long stamp = areas.stamp();
      area = areas.find(address);
      if (areas.unchangedSince(stamp)) {
        break;
      }
      Thread.onSpinWait();
    }
    return area;
  }
}
