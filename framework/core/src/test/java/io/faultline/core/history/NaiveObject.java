// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What lies behind pages: zeros, an object of shared memory, or a device. */
final class NaiveObject {
  /** What kind of object. */
  enum Kind {
    /** The endless zeros behind private anonymous memory. */
    ZEROS,
    /** Behind shared anonymous memory. */
    SHARED_MEMORY,
    DEVICE
  }

  static final NaiveObject ZEROS = new NaiveObject(Kind.ZEROS, 0);

  final Kind kind;
  private final List<Cell> cells = new ArrayList<>();

  NaiveObject(Kind kind, int pages) {
    this.kind = kind;
    for (int i = 0; i < pages; i++) {
      cells.add(new Cell(0));
    }
  }

  /** The page of that number, or null behind the end. */
  @Nullable Cell cell(long index) {
    if (kind == Kind.ZEROS) {
      return new Cell(0);
    }
    return index < cells.size() ? cells.get((int) index) : null;
  }
}
