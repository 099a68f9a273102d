// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.mm.ErrnoException;

/** Walks over the areas of a range. */
final class AreaWalk {
  private AreaWalk() {}

  /**
   * Refuses a range with a hole in it.
   *
   * @throws ErrnoException ENOMEM
   */
  static void requireMapped(AddressSpace space, long start, long end) throws ErrnoException {
    long done = start;
    Area area = space.areas().findAt(start);
    if (area == null) {
      throw Args.hole(start);
    }
    while (done < end) {
      if (area == null || area.start() > done) {
        throw Args.hole(done);
      }
      done = area.end();
      area = space.areas().next(area);
    }
  }
}
