// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

/**
 * What a load or store of one byte came to.
 *
 * @param signal 0 when it went well, else {@link Signals#SEGV} or {@link Signals#BUS}
 * @param code the signal's {@code si_code}
 * @param address the signal's {@code si_addr}
 */
public record Touch(int signal, int code, long address) {
  /** It went well. */
  public static final Touch OK = new Touch(0, 0, 0);

  private static final int SI_KERNEL = 0x80;

  /** Whether it went well. */
  public boolean ok() {
    return signal == 0;
  }

  /** As recordings write it: {@code ok}, {@code SIGSEGV (SEGV_MAPERR)}, {@code SIGBUS (BUS_ADRERR)}. */
  @Override
  public String toString() {
    return switch (signal) {
      case 0 -> "ok";
      case Signals.SEGV -> "SIGSEGV (" + switch (code) {
        case 1 -> "SEGV_MAPERR";
        case 2 -> "SEGV_ACCERR";
        case 3 -> "SEGV_BNDERR";
        case 4 -> "SEGV_PKUERR";
        case SI_KERNEL -> "SI_KERNEL";
        default -> Integer.toString(code);
      } + ")";
      case Signals.BUS -> "SIGBUS (" + switch (code) {
        case 1 -> "BUS_ADRALN";
        case 2 -> "BUS_ADRERR";
        case 3 -> "BUS_OBJERR";
        case SI_KERNEL -> "SI_KERNEL";
        default -> Integer.toString(code);
      } + ")";
      default -> "signal " + signal + " (" + code + ")";
    };
  }
}
