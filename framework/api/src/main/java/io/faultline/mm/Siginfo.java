// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/**
 * A refused access, as the faulting program is told of it.
 *
 * @param code the reason, which implies the signal
 * @param address the faulting address in bytes, exactly as accessed
 * @param cause for a person: which rule, area or driver refused
 */
public record Siginfo(SignalCode code, long address, String cause) {
  /** SIGSEGV or SIGBUS. */
  public Signal signal() {
    return code.signal();
  }

  /** {@code SIGSEGV (SEGV_MAPERR)}: the form that recordings use. */
  public String shortText() {
    return signal() + " (" + code + ")";
  }

  @Override
  public String toString() {
    return shortText() + " at 0x" + Long.toHexString(address) + ": " + cause;
  }
}
