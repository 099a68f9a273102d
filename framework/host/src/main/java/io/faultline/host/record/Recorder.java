// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.Launch;
import io.faultline.host.ptrace.Signals;
import io.faultline.host.ptrace.Stop;
import io.faultline.host.ptrace.SyscallStop;
import io.faultline.host.ptrace.TraceOptions;
import io.faultline.host.ptrace.TracedProcess;
import io.faultline.host.ptrace.Tracer;
import io.faultline.host.record.RecordedThread.Place;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.IntConsumer;

/**
 * Runs a program and records its address space. All its threads stop at every system call; while one
 * makes a memory call, none of the others runs:
 *
 * <pre>
 *   entry of a memory call  →  queue
 *   queue not empty         →  interrupt those in the program, wait until each stands or is in a call
 *                              look; let the first go to its exit; look; …; let all go
 * </pre>
 *
 * <p>A thread in another call is left alone: it comes no further than that call's end. When the program
 * becomes another one by {@code execve}, the recording begins anew with that, unless it was told to end
 * there. Confined to its tracer's thread.
 */
public final class Recorder {
  private static final int OPTIONS =
      TraceOptions.STANDARD | TraceOptions.CLONE | TraceOptions.EXIT;
  private static final int ESRCH = 3;
  private static final int SIGNALLED = 0x7f;
  private static final int KCMP_VM = 1;

  private final Tracer tracer;
  private final LinuxCalls calls;
  private final TracedProcess process;
  private final Machine machine;
  private final boolean followExec;
  private final IntConsumer progress;
  private final Map<Integer, RecordedThread> threads = new LinkedHashMap<>();
  private final Queue<RecordedThread> waiting = new ArrayDeque<>();
  private Session session;
  private boolean frozen;
  private int threadsSeen = 1;
  private int exit;

  private Recorder(Tracer tracer, TracedProcess process, Machine machine, boolean followExec,
      IntConsumer progress) throws HostException {
    this.tracer = tracer;
    this.calls = tracer.calls();
    this.process = process;
    this.machine = machine;
    this.followExec = followExec;
    this.progress = progress;
    this.session = new Session(calls, process, machine);
    threads.put(process.pid(), new RecordedThread(process.main(), Place.STOPPED));
  }

  /**
   * Runs and records.
   *
   * @param tracer of this thread
   * @param launch what to run
   * @param followExec whether a program that becomes another one is recorded as that one
   * @param progress is told, after each call, how many there were
   * @throws HostException with what to do about it
   */
  public static Recording record(Tracer tracer, Launch launch, boolean followExec,
      IntConsumer progress) throws HostException {
    List<Machine> probed = new ArrayList<>();
    Launch probing = launch.prepared(remote -> {
      probed.add(Machine.probe(remote));
      launch.prepare().run(remote);
    });
    try (TracedProcess process = tracer.launch(probing, OPTIONS)) {
      Recorder recorder =
          new Recorder(tracer, process, probed.getFirst(), followExec, progress);
      return recorder.run();
    }
  }

  private Recording run() throws HostException {
    try {
      letGo();
      while (!threads.isEmpty()) {
        if (waiting.isEmpty()) {
          take(tracer.awaitAny());
        } else {
          memoryCalls();
        }
      }
      return Recording.of(session, threadsSeen, exit);
    } finally {
      session.close();
      kill();
    }
  }

  /** Ends what is left when something went wrong: each thread stops once more on its way out. */
  private void kill() throws HostException {
    if (!threads.isEmpty()) {
      process.signal(Signals.KILL);
    }
    while (!threads.isEmpty()) {
      Stop stop = tracer.awaitAny();
      if (stop.ended()) {
        ended(stop);
      } else {
        ifAlive(() -> tracer.tracee(stop.tid()).resume(0));
      }
    }
  }

  /** Lets those who wait make their calls, one after the other, while nobody else runs. */
  private void memoryCalls() throws HostException {
    frozen = true;
    for (RecordedThread thread : threads.values()) {
      if (thread.place == Place.PROGRAM) {
        ifAlive(thread.tracee::interrupt);
      }
    }
    while (threads.values().stream().anyMatch(thread -> thread.place == Place.PROGRAM)) {
      take(tracer.awaitAny());
    }
    while (true) {
      RecordedThread caller = waiting.poll();
      if (caller == null) {
        break;
      }
      memoryCall(caller);
    }
    frozen = false;
    letGo();
  }

  private void memoryCall(RecordedThread caller) throws HostException {
    Entered call = caller.call;
    if (call == null || !threads.containsKey(caller.tracee.tid())) {
      return;
    }
    caller.queued = false;
    if (session.finished()) {
      return;
    }
    switch (CallKind.of(call)) {
      case EXIT -> {
        session.finish(caller.tracee.tid());
        return;
      }
      case EXEC -> {
        // If it succeeds, this is how the address space was left.
        session.lookBeforeExec(caller.tracee.tid());
        return;
      }
      default -> {
      }
    }
    session.before(call);
    caller.place = Place.CALL;
    ifAlive(() -> caller.tracee.resumeToSyscall(0));
    while (caller.place == Place.CALL && threads.containsKey(caller.tracee.tid())) {
      take(tracer.awaitAny());
    }
    progress.accept(session.calls());
  }

  /** Lets all go that stand, but those who wait for their turn. */
  private void letGo() throws HostException {
    for (RecordedThread thread : List.copyOf(threads.values())) {
      if (thread.place == Place.STOPPED && !thread.queued) {
        letGo(thread);
      }
    }
  }

  private void letGo(RecordedThread thread) throws HostException {
    if (thread.foreign) {
      threads.remove(thread.tracee.tid());
      ifAlive(() -> thread.tracee.detach(thread.signal));
      return;
    }
    thread.place = thread.next;
    int signal = thread.signal;
    thread.signal = 0;
    if (session.finished()) {
      ifAlive(() -> thread.tracee.resume(signal));
    } else {
      ifAlive(() -> thread.tracee.resumeToSyscall(signal));
    }
  }

  private interface Request {
    void make() throws HostException;
  }

  /** A thread can be killed while it stands still; its end is reported in its turn. */
  private static void ifAlive(Request request) throws HostException {
    try {
      request.make();
    } catch (HostException e) {
      if (e.errno() != ESRCH) {
        throw e;
      }
    }
  }

  /** Takes in what a thread has come to, and lets it go on if nobody is to stand still. */
  private void take(Stop stop) throws HostException {
    RecordedThread thread = threads.get(stop.tid());
    if (stop.ended()) {
      ended(stop);
      return;
    }
    if (thread == null) {
      // A new thread; its maker's report may come later.
      thread = add(stop.tid());
    }
    thread.place = Place.STOPPED;
    if (stop.atSyscall()) {
      atSyscall(thread);
    } else if (stop.event() != 0) {
      atEvent(thread, stop);
    } else {
      thread.signal = stop.signal();
      thread.next = Place.PROGRAM;
    }
    if (!frozen && !thread.queued && thread.place == Place.STOPPED) {
      letGo(thread);
    }
  }

  private RecordedThread add(int tid) {
    RecordedThread thread = new RecordedThread(tracer.tracee(tid), Place.NEW);
    threads.put(tid, thread);
    boolean shares =
        calls.call(SyscallNumber.KCMP, process.pid(), tid, KCMP_VM, 0, 0, 0) == 0;
    thread.foreign = !shares;
    if (shares) {
      threadsSeen++;
    }
    return thread;
  }

  private void ended(Stop stop) {
    RecordedThread thread = threads.remove(stop.tid());
    if (thread != null) {
      waiting.remove(thread);
    }
    if (stop.tid() == process.pid()) {
      exit = stop.exited() ? stop.exitStatus() : 128 + stop.killer();
      process.ended(stop);
    }
  }

  private void atSyscall(RecordedThread thread) throws HostException {
    SyscallStop stop = thread.tracee.syscall();
    if (stop.architecture() != SyscallStop.X86_64) {
      throw new HostException("a program of 32 bits cannot be recorded; take one of 64 bits");
    }
    if (stop.entry()) {
      Entered call = new Entered(stop.number(), stop.arguments());
      thread.call = call;
      thread.next = Place.CALL;
      switch (CallKind.of(call)) {
        case MEMORY, EXIT -> queue(thread);
        case EXEC -> {
          if (!followExec) {
            queue(thread);
          }
        }
        case DESCRIPTOR -> session.closing(call);
        case TASK, LIMIT, OTHER -> {
        }
      }
    } else {
      Entered call = thread.call;
      thread.call = null;
      thread.next = Place.PROGRAM;
      if (call != null && !session.finished()) {
        done(thread, call, stop.result());
      }
    }
  }

  private void queue(RecordedThread thread) {
    if (!session.finished()) {
      thread.queued = true;
      waiting.add(thread);
    }
  }

  /** A call has ended. */
  private void done(RecordedThread thread, Entered call, long result) throws HostException {
    switch (CallKind.of(call)) {
      case MEMORY -> session.after(call, result, thread.tracee.tid());
      case TASK -> session.task(call, result);
      case LIMIT -> {
        if (result == 0) {
          boolean old = call.number() == SyscallNumber.SETRLIMIT;
          session.limit(old ? 0 : call.intArg(0), call.intArg(old ? 0 : 1));
        }
      }
      case OTHER -> ProcessControl.warning(call, result).ifPresent(session::warn);
      case DESCRIPTOR, EXEC, EXIT -> {
      }
    }
  }

  private void atEvent(RecordedThread thread, Stop stop) throws HostException {
    switch (stop.event()) {
      case Stop.EVENT_CLONE -> {
        thread.next = Place.CALL;
        int tid = (int) thread.tracee.eventMessage();
        if (!threads.containsKey(tid)) {
          // It stands still until its own report is taken.
          add(tid);
        }
      }
      case Stop.EVENT_EXEC -> replaced(thread);
      case Stop.EVENT_EXIT -> {
        thread.next = Place.GONE;
        long status = thread.tracee.eventMessage();
        boolean last = threads.values().stream()
            .allMatch(other -> other == thread || other.foreign || other.place == Place.GONE);
        if (!thread.foreign && (last || (status & SIGNALLED) != 0)) {
          session.finish(thread.tracee.tid());
        }
      }
      case Stop.EVENT_STOP -> {
        boolean group = stop.signal() != Signals.TRAP;
        if (group) {
          thread.place = Place.SUSPENDED;
          thread.tracee.listen();
        }
        // A new thread begins here; one that was interrupted goes on where it was.
        if (thread.call == null) {
          thread.next = Place.PROGRAM;
        }
      }
      default -> thread.next = thread.call == null ? Place.PROGRAM : Place.CALL;
    }
  }

  /** The process has become another program; its other threads are gone. */
  private void replaced(RecordedThread thread) throws HostException {
    thread.next = Place.CALL;
    thread.call = null;
    threads.values().removeIf(other -> other != thread && !other.foreign);
    waiting.clear();
    process.replaced();
    if (!followExec) {
      session.finishAsBeforeExec();
    }
    if (!session.finished()) {
      session.close();
      session = new Session(calls, process, machine);
      threadsSeen = 1;
    }
  }
}
