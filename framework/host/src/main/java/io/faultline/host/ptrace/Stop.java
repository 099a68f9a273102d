// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

/**
 * What {@code wait4(2)} reported of a thread.
 *
 * @param tid the thread
 * @param status the status word
 */
public record Stop(int tid, int status) {
  /** PTRACE_EVENT_FORK. */
  public static final int EVENT_FORK = 1;
  /** PTRACE_EVENT_VFORK. */
  public static final int EVENT_VFORK = 2;
  /** PTRACE_EVENT_CLONE. */
  public static final int EVENT_CLONE = 3;
  /** PTRACE_EVENT_EXEC. */
  public static final int EVENT_EXEC = 4;
  /** PTRACE_EVENT_EXIT. */
  public static final int EVENT_EXIT = 6;
  /** PTRACE_EVENT_STOP: a new thread, an interrupted one, or a group stop. */
  public static final int EVENT_STOP = 128;

  private static final int SYSCALL_BIT = 0x80;

  /** Whether the thread ended by itself, or its process did. */
  public boolean exited() {
    return (status & 0x7f) == 0;
  }

  /** The exit status, when {@link #exited()}. */
  public int exitStatus() {
    return (status >> 8) & 0xff;
  }

  /** Whether a signal ended it. */
  public boolean killed() {
    int signal = status & 0x7f;
    return signal != 0 && signal != 0x7f;
  }

  /** The signal that ended it, when {@link #killed()}. */
  public int killer() {
    return status & 0x7f;
  }

  /** Whether it is gone. */
  public boolean ended() {
    return exited() || killed();
  }

  /** PTRACE_EVENT_..., 0 for none. */
  public int event() {
    return ended() ? 0 : status >>> 16;
  }

  /** The signal that stopped it, without the mark of a system call. */
  public int signal() {
    return ended() ? 0 : (status >> 8) & 0xff & ~SYSCALL_BIT;
  }

  /** Whether it stands at the entry or the exit of a system call. */
  public boolean atSyscall() {
    return !ended() && event() == 0 && ((status >> 8) & 0xff) == (Signals.TRAP | SYSCALL_BIT);
  }

  /** Whether a signal is about to be delivered: resume with that signal, or with 0 to drop it. */
  public boolean atSignal() {
    return !ended() && event() == 0 && !atSyscall();
  }

  @Override
  public String toString() {
    if (exited()) {
      return tid + " exited with " + exitStatus();
    }
    if (killed()) {
      return tid + " killed by signal " + killer();
    }
    return tid + " stopped by signal " + signal() + (event() == 0 ? "" : ", event " + event())
        + (atSyscall() ? ", system call" : "");
  }
}
