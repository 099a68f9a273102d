// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

/** Numbers of signals on x86-64. */
public final class Signals {
  /** SIGILL. */
  public static final int ILL = 4;
  /** SIGTRAP. */
  public static final int TRAP = 5;
  /** SIGBUS. */
  public static final int BUS = 7;
  /** SIGFPE. */
  public static final int FPE = 8;
  /** SIGKILL. */
  public static final int KILL = 9;
  /** SIGSEGV. */
  public static final int SEGV = 11;
  /** SIGCONT. */
  public static final int CONT = 18;
  /** SIGSTOP. */
  public static final int STOP = 19;

  private Signals() {}

  /** Whether an instruction can raise it. */
  static boolean isFault(int signal) {
    return signal == SEGV || signal == BUS || signal == ILL || signal == FPE;
  }
}
