// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/** Why an access was refused: {@code si_code} of {@code siginfo_t}. */
public enum SignalCode {
  /** No area holds the address. */
  SEGV_MAPERR(Signal.SIGSEGV),
  /** The area does not allow this access. */
  SEGV_ACCERR(Signal.SIGSEGV),
  /** The protection key does not allow this access. */
  SEGV_PKUERR(Signal.SIGSEGV),
  /** The address is not canonical: a general protection fault. */
  SI_KERNEL(Signal.SIGSEGV),
  /** Beyond the end of the file, or the driver has no page there. */
  BUS_ADRERR(Signal.SIGBUS),
  /** Memory had run out, and the process was the one to be killed. */
  OOM_KILLED(Signal.SIGKILL);

  private final Signal signal;

  SignalCode(Signal signal) {
    this.signal = signal;
  }

  /** The signal that carries this code. */
  public Signal signal() {
    return signal;
  }
}
