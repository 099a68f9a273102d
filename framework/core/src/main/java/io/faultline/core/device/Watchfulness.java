// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

/**
 * Whether to look out for something awake before one sleeps. Where more threads want to run than there
 * are processors it only keeps the one away that is waited for: after each time in vain it is left for
 * twice as many times, up to {@value #LONGEST}, and done always again once it has paid.
 *
 * <p>For several threads without a lock: a count that is lost costs nothing but a few microseconds.
 */
public final class Watchfulness {
  private static final int LONGEST = 255;

  private int leave;
  private int left;

  /** Whether to look out this time. */
  public boolean isWorthIt() {
    int now = left;
    if (now > 0) {
      left = now - 1;
    }
    return now <= 0;
  }

  /**
   * It was done.
   *
   * @param paid whether what was waited for came meanwhile
   */
  public void ended(boolean paid) {
    leave = paid ? 0 : Math.min(2 * leave + 1, LONGEST);
    left = leave;
  }
}
