// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import io.faultline.mm.Access;
import io.faultline.mm.Siginfo;
import io.faultline.mm.Signal;
import io.faultline.mm.SignalCode;
import org.jspecify.annotations.Nullable;

/**
 * The signal that a process dies of, with what is known of it.
 *
 * @param info of a refused access; null for a signal that somebody sent
 * @param fetch whether the access was that of the next instruction
 */
public record DeathSignal(Signal signal, @Nullable Siginfo info, boolean fetch) {
  /** A signal that somebody sent, {@code SI_USER}. */
  public static DeathSignal of(Signal signal) {
    return new DeathSignal(signal, null, false);
  }

  /** The signal of a refused access, of which no more is known. */
  public static DeathSignal of(Siginfo info) {
    return new DeathSignal(info.signal(), info, false);
  }

  /** The signal of a refused access. */
  public static DeathSignal of(Siginfo info, Access access) {
    return new DeathSignal(info.signal(), info, access == Access.EXECUTE);
  }

  /** Whether the signal's default is to dump a core. */
  public boolean dumps() {
    return signal == Signal.SIGSEGV || signal == Signal.SIGBUS;
  }

  /** {@code si_code}, as {@code asm-generic/siginfo.h} numbers them. */
  int code() {
    return info == null ? 0 : number(info.code());
  }

  /** {@code si_addr}, {@code cr2}: of a refused access; 0 where the processor does not say. */
  long address() {
    return info == null || info.code() == SignalCode.SI_KERNEL ? 0 : info.address();
  }

  private static int number(SignalCode code) {
    return switch (code) {
      case SEGV_MAPERR -> 1;
      case SEGV_ACCERR, BUS_ADRERR -> 2;
      case SEGV_PKUERR -> 4;
      case SI_KERNEL, OOM_KILLED -> 0x80;
    };
  }
}
