// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import io.faultline.mm.Mman;

/**
 * How a device is laid out: in sets of quanta.
 *
 * @param order log2 of the number of pages in a quantum, 0 to 10
 * @param qset how many quanta a set has, 1 to 65536
 */
record Geometry(int order, int qset) {
  /** @throws IllegalArgumentException when a part is out of its range */
  Geometry {
    if (order < 0 || order > 10) {
      throw new IllegalArgumentException("order: " + order + " is not in 0..10");
    }
    if (qset < 1 || qset > 65536) {
      throw new IllegalArgumentException("qset: " + qset + " is not in 1..65536");
    }
  }

  static Geometry of(ScullpConfig config) {
    return new Geometry(config.order(), config.qset());
  }

  /** The size of a quantum, in bytes. */
  long quantum() {
    return (long) Mman.PAGE_SIZE << order;
  }

  /** The set that holds a position. */
  long set(long position) {
    return position / (quantum() * qset);
  }

  /** The quantum of its set that holds a position. */
  int indexInSet(long position) {
    return (int) (position / quantum() % qset);
  }

  /** Where in its quantum a position lies, in bytes. */
  long offsetInQuantum(long position) {
    return position % quantum();
  }
}
