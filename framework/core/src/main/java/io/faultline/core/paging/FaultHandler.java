// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.mm.Access;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;

/** What a processor calls when the page tables do not allow an access: the page fault. */
@FunctionalInterface
public interface FaultHandler {
  /**
   * Returns when the access may be tried again.
   *
   * @param address the first byte that cannot be accessed, in bytes; any value, non-canonical ones
   *     too
   * @throws io.faultline.mm.SignalException when the program is to be sent a signal
   */
  void fault(long address, Access access);

  /**
   * An access that the page tables allow did not get through to the device that stands behind them.
   * Never returns.
   *
   * @throws SignalException SIGBUS
   */
  default void busError(long address, Access access, String cause) {
    throw new SignalException(new Siginfo(SignalCode.BUS_ADRERR, address, cause));
  }
}
