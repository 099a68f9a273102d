// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.SyscallNumber;
import java.util.ArrayList;
import java.util.List;

/**
 * Has a stopped thread make system calls and touch memory, by setting its registers and stepping over
 * one instruction. The program does not notice once {@link #restore()} has put its registers back.
 * Signals that come meanwhile are sent again then. Confined to the tracer's thread.
 */
public final class RemoteSyscalls {

  private final TracedProcess process;
  private final Tracee thread;
  private final Gadgets gadgets;
  private final Registers saved;
  private final Registers work;
  private final List<Integer> deferred = new ArrayList<>();

  RemoteSyscalls(TracedProcess process, Tracee thread, Gadgets gadgets) throws HostException {
    this.process = process;
    this.thread = thread;
    this.gadgets = gadgets;
    this.saved = thread.registers();
    this.work = thread.registers();
  }

  /** The instructions it uses. */
  public Gadgets gadgets() {
    return gadgets;
  }

  /** The memory of the process that makes the calls, for what their arguments point to. */
  public RemoteMemory memory() {
    return process.memory();
  }

  /** The process that makes the calls. */
  public int pid() {
    return process.pid();
  }

  /** {@link #call(int, long, long, long, long, long, long)} with zeros behind. */
  public long call(int number) throws HostException {
    return call(number, 0, 0, 0, 0, 0, 0);
  }

  /** {@link #call(int, long, long, long, long, long, long)} with zeros behind. */
  public long call(int number, long a) throws HostException {
    return call(number, a, 0, 0, 0, 0, 0);
  }

  /** {@link #call(int, long, long, long, long, long, long)} with zeros behind. */
  public long call(int number, long a, long b) throws HostException {
    return call(number, a, b, 0, 0, 0, 0);
  }

  /** {@link #call(int, long, long, long, long, long, long)} with zeros behind. */
  public long call(int number, long a, long b, long c) throws HostException {
    return call(number, a, b, c, 0, 0, 0);
  }

  /** {@link #call(int, long, long, long, long, long, long)} with zeros behind. */
  public long call(int number, long a, long b, long c, long d) throws HostException {
    return call(number, a, b, c, d, 0, 0);
  }

  /**
   * Has the thread make a system call. Not for {@code fork} and {@code execve}: see {@link #fork()} and
   * {@link #execve(long, long, long)}.
   *
   * @param number see {@link SyscallNumber}
   * @return the result; an error is the negative of its number
   */
  public long call(int number, long a, long b, long c, long d, long e, long f)
      throws HostException {
    start(number, a, b, c, d, e, f);
    Stop stop = thread.await();
    while (stop.signal() != Signals.TRAP || stop.event() != 0) {
      defer(stop);
      thread.step(0);
      stop = thread.await();
    }
    thread.read(work);
    return work.rax();
  }

  /** Loads a byte. */
  public Touch touchRead(long address) throws HostException {
    return touch(gadgets.load(), "mov (%rdi),%al", address, 0);
  }

  /** Stores a byte of zero. */
  public Touch touchWrite(long address) throws HostException {
    return touchWrite(address, 0);
  }

  /**
   * Stores a byte.
   *
   * @param value its low eight bits
   */
  public Touch touchWrite(long address, int value) throws HostException {
    return touch(gadgets.store(), "mov %al,(%rdi)", address, value);
  }

  /**
   * Sets the thread's rights to protection keys ({@code wrpkru}).
   *
   * @param rights two bits a key from key 0 on: access denied, write denied
   * @throws HostException also when the processor has no protection keys
   */
  public void protectionKeyRights(int rights) throws HostException {
    require(gadgets.writeKeys(), "wrpkru");
    work.copyFrom(saved);
    work.rax(rights);
    work.rcx(0);
    work.rdx(0);
    work.jump(gadgets.writeKeys());
    thread.write(work);
    Touch outcome = step();
    if (!outcome.ok()) {
      throw new HostException("wrpkru: " + outcome + ": this processor has no protection keys");
    }
  }

  /**
   * Has the process fork. The child is traced too and stands behind its {@code fork} as the parent does.
   *
   * @throws HostException also when the kernel refuses the fork; see {@link HostException#errno()}
   */
  public TracedProcess fork() throws HostException {
    thread.options(process.options() | TraceOptions.FORK);
    start(SyscallNumber.FORK, 0, 0, 0, 0, 0, 0);
    TracedProcess child = null;
    Stop stop = thread.await();
    while (stop.signal() != Signals.TRAP || stop.event() != 0) {
      if (stop.event() == Stop.EVENT_FORK) {
        child = process.tracer().adopt(process, (int) thread.eventMessage());
      } else {
        defer(stop);
      }
      thread.step(0);
      stop = thread.await();
    }
    thread.options(process.options());
    thread.read(work);
    if (child == null) {
      throw refused("fork", work.rax());
    }
    return child;
  }

  /**
   * Has the process become another program. All addresses known before are void then.
   *
   * @param path address of a string
   * @param arguments address of an array of addresses, a null at its end
   * @param environment likewise
   * @throws HostException when the kernel refuses
   */
  void execve(long path, long arguments, long environment) throws HostException {
    start(SyscallNumber.EXECVE, path, arguments, environment, 0, 0, 0);
    Stop stop = thread.await();
    while (stop.event() != Stop.EVENT_EXEC) {
      if (stop.signal() == Signals.TRAP && stop.event() == 0) {
        thread.read(work);
        throw refused("execve", work.rax());
      }
      defer(stop);
      thread.step(0);
      stop = thread.await();
    }
    // On to the end of the call: it would still write its result over a register set here.
    do {
      thread.resumeToSyscall(0);
      stop = thread.await();
      if (!stop.atSyscall()) {
        defer(stop);
      }
    } while (!stop.atSyscall());
  }

  /** Puts the registers back and sends again what signals came. */
  public void restore() throws HostException {
    thread.write(saved);
    for (int signal : deferred) {
      process.signal(signal);
    }
    deferred.clear();
  }

  private static HostException refused(String call, long result) {
    return new HostException(call + ": " + Errnos.describe((int) -result), (int) -result);
  }

  private void start(int number, long a, long b, long c, long d, long e, long f)
      throws HostException {
    work.copyFrom(saved);
    work.call(number, a, b, c, d, e, f);
    work.jump(gadgets.syscall());
    thread.write(work);
    thread.step(0);
  }

  private Touch touch(long instruction, String text, long address, int value)
      throws HostException {
    require(instruction, text);
    work.copyFrom(saved);
    work.rax(value & 0xff);
    work.rdi(address);
    work.jump(instruction);
    thread.write(work);
    return step();
  }

  private Touch step() throws HostException {
    while (true) {
      thread.step(0);
      Stop stop = thread.await();
      if (stop.atSignal() && stop.signal() == Signals.TRAP) {
        return Touch.OK;
      }
      if (stop.atSignal() && Signals.isFault(stop.signal())) {
        Touch fault = thread.siginfo();
        // A code of 0 or less says that a process sent it.
        if (fault.code() > 0) {
          return fault;
        }
      }
      defer(stop);
    }
  }

  private void defer(Stop stop) throws HostException {
    if (stop.ended()) {
      process.ended(stop);
      throw new HostException("process " + stop + " while it was to make a system call");
    }
    if (stop.atSignal()) {
      deferred.add(stop.signal());
    }
  }

  private static void require(long instruction, String text) throws HostException {
    if (instruction == 0) {
      throw new HostException("the program has no " + text + " in its text to step over");
    }
  }
}
