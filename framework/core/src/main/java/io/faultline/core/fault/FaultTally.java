// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.kernel.FaultCounts;
import io.faultline.mm.SignalCode;
import java.util.concurrent.atomic.LongAdder;

/** Counters of faults. Thread-safe. */
final class FaultTally {
  private final LongAdder minor = new LongAdder();
  private final LongAdder major = new LongAdder();
  private final LongAdder copyOnWrite = new LongAdder();
  private final LongAdder maperr = new LongAdder();
  private final LongAdder accerr = new LongAdder();
  private final LongAdder sigbus = new LongAdder();

  void countOk(boolean isMajor, boolean copied) {
    (isMajor ? major : minor).increment();
    if (copied) {
      copyOnWrite.increment();
    }
  }

  void countRefused(SignalCode code) {
    switch (code) {
      case SEGV_MAPERR, SI_KERNEL -> maperr.increment();
      case SEGV_ACCERR, SEGV_PKUERR -> accerr.increment();
      case BUS_ADRERR -> sigbus.increment();
      case OOM_KILLED -> {
        // No signal of the access: the process would have been killed anywhere.
      }
    }
  }

  FaultCounts counts() {
    return new FaultCounts(
        minor.sum(), major.sum(), copyOnWrite.sum(), maperr.sum(), accerr.sum(), sigbus.sum());
  }
}
