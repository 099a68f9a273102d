// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_EXEC;
import static io.faultline.core.area.VmBits.VM_READ;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_WRITE;

import io.faultline.core.area.Area;
import io.faultline.core.paging.Pte;
import io.faultline.mm.VmFlags;

/** Gives page-table entries the rights of their area ({@code change_protection}). */
public final class PageProtector {
  private PageProtector() {}

  /** Rewrites the entries of a range of an area; no entry gains the right to write. */
  static void change(AddressSpace space, Area area, long start, long end) {
    boolean shared = area.hasAny(VM_SHARED);
    long readOnly = rights(area, false);
    long writable = rights(area, true);
    space
        .tables()
        .visit(
            start,
            end,
            (address, entry) -> {
              if (!Pte.hasFrame(entry)) {
                return entry;
              }
              boolean keep = Pte.isWritable(entry) || (shared && Pte.isDirty(entry));
              return Pte.withProtection(entry, keep ? writable : readOnly);
            });
    space.tables().flush(start, end);
  }

  /**
   * The protection of an entry of an area ({@code vm_get_page_prot}): any right at all makes it
   * present.
   *
   * @param write whether the entry may be writable where the area is: not while a page is shared
   *     copy on write
   */
  public static long rights(Area area, boolean write) {
    long flags = area.flagBits();
    boolean any = (flags & (VM_READ | VM_WRITE | VM_EXEC)) != 0;
    return Pte.protection(
        any,
        write && (flags & VM_WRITE) != 0,
        (flags & VM_EXEC) != 0,
        new VmFlags(flags).protectionKey());
  }
}
