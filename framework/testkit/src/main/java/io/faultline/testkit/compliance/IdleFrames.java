// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import java.util.OptionalLong;

/**
 * The pages that a driver holds while nobody maps it: as many after its last area is closed as when
 * that happened the first time.
 */
final class IdleFrames {
  private final Watch watch;
  private OptionalLong first = OptionalLong.empty();
  private boolean mapped;
  private boolean writtenUnmapped;

  IdleFrames(Watch watch) {
    this.watch = watch;
  }

  void mapped() {
    mapped = true;
    writtenUnmapped = false;
  }

  /** Was mapped, for a moment or by somebody else. */
  void touched() {
    mapped = true;
  }

  /** Whether it was mapped since {@link #unmapped}. */
  boolean wasMapped() {
    return mapped;
  }

  void unmapped() {
    mapped = false;
  }

  /** The last close may be over by now. */
  void written() {
    writtenUnmapped |= !mapped;
  }

  /** Nobody maps it for the first time. */
  void first(long allocated) {
    first = OptionalLong.of(allocated);
  }

  /** Other pages were touched: nothing can be said any more. */
  void forget() {
    first = OptionalLong.empty();
  }

  void check(long allocated) {
    if (first.isPresent() && !writtenUnmapped && first.getAsLong() != allocated) {
      watch.violated(
          Rule.AREAS_ARE_COUNTED,
          "when its last area was closed the first time the driver held " + first.getAsLong()
              + " pages, and now that all processes are gone it holds " + allocated
              + ", though no other page was touched");
    }
  }
}
