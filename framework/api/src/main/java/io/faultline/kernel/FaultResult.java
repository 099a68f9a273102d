// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.mm.FaultType;
import io.faultline.mm.Siginfo;
import org.jspecify.annotations.Nullable;

/**
 * How a page fault ended: a page is there now, or the program gets a signal.
 *
 * @param type minor or major
 * @param signal what the program is sent; null when the access may go on
 */
public record FaultResult(FaultType type, @Nullable Siginfo signal) {
  /** The page was at hand. */
  public static final FaultResult MINOR = new FaultResult(FaultType.MINOR, null);

  /** The page was brought from secondary storage. */
  public static final FaultResult MAJOR = new FaultResult(FaultType.MAJOR, null);

  /** A refusal. */
  public static FaultResult refused(Siginfo signal) {
    return new FaultResult(FaultType.MINOR, signal);
  }

  /** Whether the access may go on. */
  public boolean ok() {
    return signal == null;
  }
}
