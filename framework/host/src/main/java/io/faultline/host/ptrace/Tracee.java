// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One traced thread. Everything but {@link #interrupt()} wants it stopped. Confined to its tracer's
 * thread.
 */
public final class Tracee {
  private static final int CONT = 7;
  private static final int SINGLESTEP = 9;
  private static final int GETREGS = 12;
  private static final int SETREGS = 13;
  private static final int DETACH = 17;
  private static final int SYSCALL = 24;
  private static final int SETOPTIONS = 0x4200;
  private static final int GETEVENTMSG = 0x4201;
  private static final int GETSIGINFO = 0x4202;
  private static final int INTERRUPT = 0x4207;
  private static final int LISTEN = 0x4208;
  private static final int GET_SYSCALL_INFO = 0x420e;
  private static final int SYSCALL_INFO_ENTRY = 1;
  private static final int SYSCALL_INFO_EXIT = 2;
  private static final int SYSCALL_INFO = 88;
  private static final int SIGINFO = 128;

  private final Tracer tracer;
  private final LinuxCalls calls;
  private final int tid;

  Tracee(Tracer tracer, int tid) {
    this.tracer = tracer;
    this.calls = tracer.calls();
    this.tid = tid;
  }

  /** The thread's number. */
  public int tid() {
    return tid;
  }

  /** Its registers, copied. */
  public Registers registers() throws HostException {
    Registers registers = new Registers(tracer.allocateRegisters());
    read(registers);
    return registers;
  }

  /** Reads its registers into a copy that is there already. */
  public void read(Registers into) throws HostException {
    request("PTRACE_GETREGS", GETREGS, 0, into.words().address());
  }

  /** Sets its registers. */
  public void write(Registers from) throws HostException {
    request("PTRACE_SETREGS", SETREGS, 0, from.words().address());
  }

  /**
   * Lets it run one instruction.
   *
   * @param signal to deliver first, 0 for none
   */
  public void step(int signal) throws HostException {
    request("PTRACE_SINGLESTEP", SINGLESTEP, 0, signal);
  }

  /**
   * Lets it run.
   *
   * @param signal to deliver first, 0 for none
   */
  public void resume(int signal) throws HostException {
    request("PTRACE_CONT", CONT, 0, signal);
  }

  /**
   * Lets it run to the next entry or exit of a system call.
   *
   * @param signal to deliver first, 0 for none
   */
  public void resumeToSyscall(int signal) throws HostException {
    request("PTRACE_SYSCALL", SYSCALL, 0, signal);
  }

  /** Leaves it in its group stop, but reports what comes. */
  public void listen() throws HostException {
    request("PTRACE_LISTEN", LISTEN, 0, 0);
  }

  /** Stops it, wherever it is: {@link Stop#EVENT_STOP} follows. */
  public void interrupt() throws HostException {
    request("PTRACE_INTERRUPT", INTERRUPT, 0, 0);
  }

  /**
   * Lets it go for good.
   *
   * @param signal to deliver first, 0 for none
   */
  public void detach(int signal) throws HostException {
    request("PTRACE_DETACH", DETACH, 0, signal);
  }

  /** Sets {@link TraceOptions}. */
  public void options(int bits) throws HostException {
    request("PTRACE_SETOPTIONS", SETOPTIONS, 0, bits);
  }

  /** What belongs to its event: the new thread, the exit status. */
  public long eventMessage() throws HostException {
    MemorySegment scratch = tracer.scratch();
    request("PTRACE_GETEVENTMSG", GETEVENTMSG, 0, scratch.address());
    return scratch.get(ValueLayout.JAVA_LONG, 0);
  }

  /** The system call that it stands at. */
  public SyscallStop syscall() throws HostException {
    MemorySegment info = tracer.scratch();
    request("PTRACE_GET_SYSCALL_INFO", GET_SYSCALL_INFO, SYSCALL_INFO, info.address());
    // struct ptrace_syscall_info
    int where = info.get(ValueLayout.JAVA_BYTE, 0);
    int architecture = info.get(ValueLayout.JAVA_INT, 4);
    return switch (where) {
      case SYSCALL_INFO_ENTRY -> new SyscallStop(true, architecture,
          (int) info.get(ValueLayout.JAVA_LONG, 24),
          info.asSlice(32, 6L * Long.BYTES).toArray(ValueLayout.JAVA_LONG), 0);
      case SYSCALL_INFO_EXIT -> new SyscallStop(
          false, architecture, -1, new long[0], info.get(ValueLayout.JAVA_LONG, 24));
      default -> throw new HostException("thread " + tid + " stands at no system call");
    };
  }

  /** The signal that it stands at, as a touch's outcome. */
  Touch siginfo() throws HostException {
    MemorySegment scratch = tracer.scratch();
    scratch.asSlice(0, SIGINFO).fill((byte) 0);
    request("PTRACE_GETSIGINFO", GETSIGINFO, 0, scratch.address());
    return new Touch(
        scratch.get(ValueLayout.JAVA_INT, 0),
        scratch.get(ValueLayout.JAVA_INT, 8),
        scratch.get(ValueLayout.JAVA_LONG, 16));
  }

  /** Waits for its next stop. */
  public Stop await() throws HostException {
    return tracer.await(tid);
  }

  private void request(String name, int request, long address, long data) throws HostException {
    long result = calls.call(SyscallNumber.PTRACE, request, tid, address, data);
    if (result < 0) {
      throw new HostException(
          name + " of " + tid + ": " + Errnos.describe((int) -result), (int) -result);
    }
  }
}
