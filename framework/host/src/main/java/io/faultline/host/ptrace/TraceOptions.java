// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

/** Bits of {@code PTRACE_SETOPTIONS}. */
public final class TraceOptions {
  /** Marks the stops of system calls. */
  public static final int SYSGOOD = 0x01;
  /** Traces children made by {@code fork(2)}. */
  public static final int FORK = 0x02;
  /** Traces children made by {@code vfork(2)}. */
  public static final int VFORK = 0x04;
  /** Traces new threads. */
  public static final int CLONE = 0x08;
  /** Stops behind {@code execve(2)}. */
  public static final int EXEC = 0x10;
  /** Stops before an exit. */
  public static final int EXIT = 0x40;
  /** Kills the traced when the tracer ends. */
  public static final int EXITKILL = 0x100000;

  /** What every traced program gets. */
  public static final int STANDARD = SYSGOOD | EXEC | EXITKILL;

  private TraceOptions() {}
}
