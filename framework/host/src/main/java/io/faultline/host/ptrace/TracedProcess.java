// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import io.faultline.host.linux.HostException;
import io.faultline.host.linux.SyscallNumber;
import org.jspecify.annotations.Nullable;

/**
 * A traced process, stopped. Closing it kills it. Confined to its tracer's thread.
 */
public final class TracedProcess implements AutoCloseable {
  private final Tracer tracer;
  private final int pid;
  private final int options;
  private final Tracee main;
  private final ProcFiles proc;
  private final RemoteMemory memory;
  private @Nullable RemoteSyscalls syscalls;
  private @Nullable Stop end;

  TracedProcess(Tracer tracer, int pid, int options) {
    this.tracer = tracer;
    this.pid = pid;
    this.options = options;
    this.main = new Tracee(tracer, pid);
    this.proc = new ProcFiles(tracer.calls(), pid, tracer.buffer());
    this.memory = new RemoteMemory(tracer.calls(), pid, tracer.buffer());
  }

  /** Its number. */
  public int pid() {
    return pid;
  }

  /** Its first thread. */
  public Tracee main() {
    return main;
  }

  /** Its {@code /proc/PID}. */
  public ProcFiles proc() {
    return proc;
  }

  /** Its memory. */
  public RemoteMemory memory() {
    return memory;
  }

  /**
   * Makes calls in its first thread, which must be stopped and must not have run since the last use
   * without a {@link RemoteSyscalls#restore()}. The instructions are looked up once; after an
   * {@code execve} of the program's own use {@link #replaced()} first.
   */
  public RemoteSyscalls syscalls() throws HostException {
    RemoteSyscalls known = syscalls;
    if (known == null) {
      known = new RemoteSyscalls(this, main, Gadgets.find(proc, memory));
      syscalls = known;
    }
    return known;
  }

  /**
   * Like {@link #syscalls()}, with instructions that are known already: {@link BareProgram#GADGETS}.
   */
  public RemoteSyscalls syscalls(Gadgets gadgets) throws HostException {
    RemoteSyscalls known = syscalls;
    if (known == null || !known.gadgets().equals(gadgets)) {
      known = new RemoteSyscalls(this, main, gadgets);
      syscalls = known;
    }
    return known;
  }

  /** Forgets the address space: the process has become another program. */
  public void replaced() {
    syscalls = null;
    proc.reopen();
  }

  /**
   * Binds the tracer's thread and this process to one processor: handing over between them is then
   * about twice as fast, and neither runs while the other does. For processes that are only ever
   * stepped.
   */
  public void shareProcessor() throws HostException {
    tracer.bindToOneProcessor(pid);
  }

  /** Sends it a signal. */
  public void signal(int signal) {
    tracer.calls().call(SyscallNumber.KILL, pid, signal);
  }

  /** Kills it and takes it off the kernel's list. */
  @Override
  public void close() throws HostException {
    proc.close();
    if (end == null) {
      signal(Signals.KILL);
      Stop stop = tracer.await(pid);
      while (!stop.ended()) {
        // One that is to report its exit stops once more on its way out.
        main.resume(0);
        stop = tracer.await(pid);
      }
      ended(stop);
    }
  }

  /** Notes that {@link Tracer#await} has reported its end: nothing is left to kill. */
  public void ended(Stop stop) {
    end = stop;
    tracer.forget(this);
  }

  Tracer tracer() {
    return tracer;
  }

  int options() {
    return options;
  }

  @Nullable RemoteSyscalls knownSyscalls() {
    return syscalls;
  }
}
