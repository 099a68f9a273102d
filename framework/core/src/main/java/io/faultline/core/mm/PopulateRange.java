// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

/**
 * Pages that are to be faulted in once a call has succeeded and the lock is released ({@code
 * mm_populate}); errors are not told.
 *
 * @param start aligned to a page
 * @param length in bytes; 0 for nothing to do
 */
public record PopulateRange(long start, long length) {
  public static final PopulateRange NONE = new PopulateRange(0, 0);
}
