// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.reclaim;

/**
 * How many frames are to be free ({@code __setup_per_zone_wmarks}).
 *
 * <pre>
 *   0 ...... min ........ low ........ high
 *     page     direct       background    background reclaim
 *     tables   reclaim      reclaim       stops
 *     only                  begins
 * </pre>
 *
 * @param min frames that only the kernel's own needs may take
 * @param low below this many, pages are taken out in the background
 * @param high until this many are free
 */
public record Watermarks(long min, long low, long high) {
  private static final long LEAST_SHARE = 64;

  /**
   * Linux's: min is 4 times the square root of the memory in KiB, in KiB; low and high are a quarter
   * and a half more. Of a small memory at most a 64th part.
   *
   * @param frames of memory
   */
  public static Watermarks of(long frames) {
    long kibibytes = frames * 4;
    long min = Math.min((long) Math.sqrt(kibibytes * 16.0) / 4, frames / LEAST_SHARE);
    return new Watermarks(min, min + Math.max(1, min / 4), min + Math.max(2, min / 2));
  }
}
