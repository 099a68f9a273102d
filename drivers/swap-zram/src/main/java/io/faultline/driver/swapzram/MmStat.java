// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapzram;

/**
 * What {@code /sys/block/zram0/mm_stat} says, in its order.
 *
 * @param originalBytes of the pages that are held
 * @param compressedBytes what they come to, without what is lost between them
 * @param usedBytes of memory
 * @param limitBytes of memory; 0: none
 * @param mostBytes the most memory that was used so far
 * @param samePages pages that are one word over and over; they take no memory
 * @param compactedPages always 0: nothing is moved
 * @param hugePages pages that compress to no less than three quarters, and are held as they are
 * @param hugePagesSince how many such were ever written
 */
record MmStat(
    long originalBytes, long compressedBytes, long usedBytes, long limitBytes, long mostBytes,
    long samePages, long compactedPages, long hugePages, long hugePagesSince) {
  static final MmStat NOTHING = new MmStat(0, 0, 0, 0, 0, 0, 0, 0, 0);

  /** The line of the file. */
  String line() {
    return "%8d %8d %8d %8d %8d %8d %8d %8d %8d".formatted(originalBytes, compressedBytes,
        usedBytes,
        limitBytes, mostBytes, samePages, compactedPages, hugePages, hugePagesSince);
  }
}
