// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.core.area.Area;
import io.faultline.core.mm.AddressSpace;
import io.faultline.mm.Access;

/**
 * A read fault for somebody who is not the program: {@code get_user_pages} with {@code FOLL_FORCE}.
 * The area's rights are not asked, nothing is counted or traced, and no stack grows. Stateless.
 */
public final class ForcedRead {
  private ForcedRead() {}

  /**
   * Brings a page in. The space's lock is held for reading.
   *
   * @param page an address in the area, aligned
   * @return whether there is a page now
   */
  public static boolean bringIn(AddressSpace space, Area area, long page) {
    return !AreaFaults.handle(space, area, page, Access.READ).failed();
  }
}
