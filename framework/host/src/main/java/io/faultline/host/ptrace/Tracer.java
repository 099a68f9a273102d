// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Starts programs under {@code ptrace(2)} and waits for their stops. Confined to the thread that opened
 * it, which must be a platform thread and should start no other processes. Closing it kills what it
 * started; so does the end of the JVM.
 */
public final class Tracer implements AutoCloseable {
  /** Bytes of the buffer that all processes of a tracer share: one thread uses it, for one call. */
  static final int BUFFER = 1 << 16;

  private static final int SEIZE = 0x4206;
  private static final int WALL = 0x40000000;
  private static final int NO_THREAD = 0x20000000;
  private static final int UNTRACED = 2;
  private static final int EINTR = 4;
  private static final int EPERM = 1;
  private static final int ENOEXEC = 8;
  private static final int SCRATCH = 256;
  private static final long PAGE = 4096;
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private final Thread owner = Thread.currentThread();
  private final LinuxCalls calls = LinuxCalls.open();
  private final MemorySegment scratch = calls.allocate(SCRATCH);
  private final MemorySegment buffer = calls.allocate(BUFFER);
  private final MemorySegment status = calls.allocate(Long.BYTES);
  private final List<TracedProcess> processes = new ArrayList<>();

  private Tracer() {}

  /** Work with a tracer. */
  @FunctionalInterface
  public interface Work<T> {
    /** Does it. */
    T with(Tracer tracer) throws HostException;
  }

  /** A tracer for the current thread. */
  public static Tracer open() {
    return new Tracer();
  }

  /**
   * Does work with a tracer on a thread made for it, and waits for its end.
   *
   * @param name the thread's
   * @throws HostException the work's
   * @throws InterruptedException when the waiting thread is interrupted; the work goes on and what it
   *     started dies with the JVM at the latest
   */
  public static <T> T onOwnThread(String name, Work<T> work)
      throws HostException, InterruptedException {
    FutureTask<T> task = new FutureTask<>(() -> {
      try (Tracer tracer = open()) {
        return work.with(tracer);
      }
    });
    Thread.ofPlatform().name(name).daemon().start(task);
    try {
      return task.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case HostException cause -> {
          cause.addSuppressed(e);
          throw cause;
        }
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  /** The calls of this thread itself. */
  public LinuxCalls calls() {
    return calls;
  }

  /** {@link #launch(Launch, int)} with {@link TraceOptions#STANDARD}. */
  public TracedProcess launch(Launch launch) throws HostException {
    return launch(launch, TraceOptions.STANDARD);
  }

  /**
   * Starts a program and holds it behind its {@code execve}, before its first instruction. It has the
   * descriptors 0, 1 and 2 and no others, no blocked signals and all signals at their defaults.
   *
   * @param options {@link TraceOptions} bits; {@link TraceOptions#STANDARD} should be among them
   * @throws HostException with what to do, when the program cannot be started or not be traced
   */
  public TracedProcess launch(Launch launch, int options) throws HostException {
    checkThread();
    // A child of the JVM cannot be stopped before it execs: the shell stops itself and is then made to
    // exec the program, as the program would be by a shell.
    int pid = calls.spawn("/bin/sh", List.of("sh", "-c", "kill -STOP $$"), Map.of(),
        launch.redirect());
    if (pid < 0) {
      throw new HostException("cannot start /bin/sh: " + Errnos.describe(-pid), -pid);
    }
    TracedProcess process = new TracedProcess(this, pid, options);
    processes.add(process);
    try {
      seize(process);
      RemoteSyscalls remote = process.syscalls();
      remote.call(SyscallNumber.PERSONALITY, launch.personality());
      remote.call(SyscallNumber.CLOSE_RANGE, 3, 0xffffffffL, 0);
      launch.prepare().run(remote);
      execute(process, remote, launch);
      process.replaced();
      return process;
    } catch (HostException e) {
      process.close();
      throw e;
    }
  }

  /** Waits for the next stop of one thread. */
  public Stop await(int tid) throws HostException {
    return await(tid, WALL | NO_THREAD);
  }

  /** Waits for the next stop of any thread that this tracer traces. */
  public Stop awaitAny() throws HostException {
    // NO_THREAD: the children of the JVM's other threads are not ours to reap.
    return await(-1, WALL | NO_THREAD);
  }

  /** A thread that this tracer traces. */
  public Tracee tracee(int tid) {
    return new Tracee(this, tid);
  }

  /** Kills what is left. */
  @Override
  public void close() throws HostException {
    checkThread();
    for (TracedProcess process : List.copyOf(processes)) {
      process.close();
    }
    calls.close();
  }

  /** Binds this thread and a process to the lowest processor that both may use. */
  void bindToOneProcessor(int pid) throws HostException {
    long bytes = calls.call(SyscallNumber.SCHED_GETAFFINITY, 0, BUFFER, buffer.address());
    long at = 0;
    while (at < bytes && buffer.get(ValueLayout.JAVA_LONG, at) == 0) {
      at += Long.BYTES;
    }
    if (at >= bytes) {
      throw new HostException("sched_getaffinity shows no processor for this thread");
    }
    long lowest = Long.lowestOneBit(buffer.get(ValueLayout.JAVA_LONG, at));
    buffer.asSlice(0, bytes).fill((byte) 0);
    buffer.set(ValueLayout.JAVA_LONG, at, lowest);
    for (int who : new int[] {0, pid}) {
      long result =
          calls.call(SyscallNumber.SCHED_SETAFFINITY, who, bytes, buffer.address());
      if (result < 0) {
        throw new HostException("sched_setaffinity: " + Errnos.describe((int) -result));
      }
    }
  }

  MemorySegment scratch() {
    return scratch;
  }

  MemorySegment buffer() {
    return buffer;
  }

  MemorySegment allocateRegisters() {
    return calls.allocate(Registers.BYTES);
  }

  void forget(TracedProcess process) {
    processes.remove(process);
  }

  /** Takes over a child that was made by a traced process. */
  TracedProcess adopt(TracedProcess parent, int pid) throws HostException {
    TracedProcess child = new TracedProcess(this, pid, parent.options());
    processes.add(child);
    Stop stop = await(pid);
    if (stop.ended()) {
      child.ended(stop);
      throw new HostException("process " + stop + " right after its fork");
    }
    child.main().options(parent.options());
    RemoteSyscalls known = parent.knownSyscalls();
    if (known != null) {
      child.syscalls(known.gadgets());
    }
    return child;
  }

  private void checkThread() {
    if (Thread.currentThread() != owner) {
      throw new WrongThreadException(
          "this tracer belongs to " + owner.getName() + ": the kernel ties ptrace to a thread");
    }
  }

  private Stop await(int tid, int options) throws HostException {
    while (true) {
      long result = calls.call(SyscallNumber.WAIT4, tid, status.address(), options, 0);
      if (result > 0) {
        return new Stop((int) result, status.get(ValueLayout.JAVA_INT, 0));
      }
      if (result != -EINTR) {
        throw new HostException(
            "cannot wait for process " + tid + ": " + Errnos.describe((int) -result),
            (int) -result);
      }
    }
  }

  private void seize(TracedProcess process) throws HostException {
    int pid = process.pid();
    Stop stop = await(pid, WALL | NO_THREAD | UNTRACED);
    if (stop.ended()) {
      process.ended(stop);
      throw new HostException("/bin/sh ended before it could be traced: " + stop);
    }
    long result = calls.call(SyscallNumber.PTRACE, SEIZE, pid, 0, process.options());
    if (result < 0) {
      throw new HostException(
          result == -EPERM
              ? "ptrace is not permitted here: see /proc/sys/kernel/yama/ptrace_scope (3 forbids it),"
                  + " and in a container allow it (docker run --cap-add=SYS_PTRACE)"
              : "PTRACE_SEIZE: " + Errnos.describe((int) -result),
          (int) -result);
    }
    // Out of the stop, up to the delivery of the signal that ended it.
    await(pid);
    process.signal(Signals.CONT);
    do {
      process.main().resume(0);
      stop = await(pid);
      if (stop.ended()) {
        process.ended(stop);
        throw new HostException("/bin/sh ended before it could be used: " + stop);
      }
    } while (stop.event() != 0 || stop.signal() != Signals.CONT);
  }

  private static void execute(TracedProcess process, RemoteSyscalls remote, Launch launch)
      throws HostException {
    List<byte[]> strings = new ArrayList<>();
    Charset charset = launch.charset();
    strings.add(string(launch.program(), charset));
    launch.arguments().forEach(argument -> strings.add(string(argument, charset)));
    launch.environment().forEach(
        (name, value) -> strings.add(string(name + "=" + value, charset)));
    long bytes = strings.stream().mapToLong(string -> string.length).sum()
        + (strings.size() + 2L) * Long.BYTES;
    long block = remote.call(SyscallNumber.MMAP, 0, (bytes + PAGE - 1) & -PAGE, PROT_READ_WRITE,
        MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (block < 0) {
      throw new HostException("no memory for the arguments: " + Errnos.describe((int) -block));
    }
    // First the two arrays, then the strings.
    long words = block;
    long text = block + (strings.size() + 2L) * Long.BYTES;
    long path = text;
    long arguments = words;
    long environment = words + (launch.arguments().size() + 1L) * Long.BYTES;
    RemoteMemory memory = process.memory();
    for (int i = 0; i < strings.size(); i++) {
      memory.write(text, strings.get(i));
      if (i > 0) {
        memory.writeLong(words, text);
        words += Long.BYTES;
      }
      if (i == launch.arguments().size()) {
        words += Long.BYTES;
      }
      text += strings.get(i).length;
    }
    try {
      remote.execve(path, arguments, environment);
    } catch (HostException e) {
      String hint = e.errno() == ENOEXEC
          ? "; if it is a script, name its interpreter in the first line (#!/bin/sh)"
          : "";
      throw new HostException(
          "cannot run " + launch.program() + ": " + e.getMessage() + hint, e.errno());
    }
  }

  private static byte[] string(String text, Charset charset) {
    return (text + '\0').getBytes(charset);
  }
}
