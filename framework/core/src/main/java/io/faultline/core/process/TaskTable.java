// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.device.OpenFileObject;
import io.faultline.core.fault.FaultStatistics;
import io.faultline.core.fault.PageFaultHandler;
import io.faultline.core.jfr.ForkEvent;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.ExitOperation;
import io.faultline.core.mm.ForkOperation;
import io.faultline.core.mm.MmServices;
import io.faultline.core.mm.SpaceBuilder;
import io.faultline.core.proc.elf.DeathSignal;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.ProcessImage;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.TraceEvent;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Siginfo;
import io.faultline.mm.Signal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The process table. Thread-safe. */
public final class TaskTable implements Tasks {
  private final MmServices services;
  private final KernelProfile profile;
  private final PageFaultHandler faults;
  private final FaultStatistics statistics;
  private final CoreDumper cores;
  private final SpaceBuilder builder;
  private final StandardImage standardImage;
  private final AtomicInteger pids = new AtomicInteger();
  private final ConcurrentSkipListMap<Integer, TaskObject> tasks = new ConcurrentSkipListMap<>();
  private final ConcurrentSkipListMap<Integer, Birth> births = new ConcurrentSkipListMap<>();

  /**
   * A space that a fork is filling, or has filled and not yet told of.
   *
   * @param parent whose lock is held for writing while it is filled
   */
  record Birth(AddressSpace parent, AddressSpace space) {}

  /**
   * @param profile of processes that name none themselves
   */
  public TaskTable(
      MmServices services,
      KernelProfile profile,
      PageFaultHandler faults,
      FaultStatistics statistics,
      CoreDumper cores) {
    this.services = services;
    this.profile = profile;
    this.faults = faults;
    this.statistics = statistics;
    this.cores = cores;
    this.builder = new SpaceBuilder(services);
    this.standardImage = new StandardImage(services.memory());
  }

  /** A task of this table. */
  static TaskObject of(Task task) throws ErrnoException {
    if (task instanceof TaskObject object) {
      return object;
    }
    throw new ErrnoException(Errno.ESRCH, "task: is not of this kernel");
  }

  @Override
  public Task spawn(String name) {
    return spawn(standardImage.of(name, profile));
  }

  @Override
  public Task spawn(ProcessImage image) {
    int pid = pids.incrementAndGet();
    TaskObject task =
        new TaskObject(
            pid, 0, image.name(), new CommandLine(image.arguments(), image.auxiliary()),
            builder.build(pid, image), faults, this::refused);
    tasks.put(pid, task);
    trace(TraceEvent.Kind.SPAWN, task, task.name());
    return task;
  }

  @Override
  public Task fork(Task parent) throws ErrnoException {
    ForkEvent event = ForkEvent.start();
    try {
      TaskObject child = copy(parent);
      if (event != null) {
        event.finish(parent.pid(), child.pid(), child.space().areas().size(), null);
      }
      return child;
    } catch (ErrnoException refused) {
      if (event != null) {
        event.finish(parent.pid(), 0, 0, refused.toString());
      }
      throw refused;
    }
  }

  private TaskObject copy(Task parent) throws ErrnoException {
    TaskObject original = of(parent);
    AddressSpace source = original.space();
    int pid = pids.incrementAndGet();
    AddressSpace copy =
        new AddressSpace(
            pid, source.profile(), source.layout(), source.limits(), source.credentials(),
            source.objectNames(), services);
    TaskObject child;
    births.put(pid, new Birth(source, copy));
    try {
      source.lockForWriting();
      try {
        ForkOperation.fork(source, copy);
      } finally {
        source.unlockForWriting();
      }
      child = original.child(pid, copy);
      tasks.put(pid, child);
    } finally {
      births.remove(pid);
    }
    trace(TraceEvent.Kind.FORK, original, "child " + pid);
    return child;
  }

  @Override
  public void exit(Task task, int status) {
    end(task, "exited " + status, null);
  }

  @Override
  public void kill(Task task, Signal signal) {
    end(task, "killed by " + signal, DeathSignal.of(signal));
  }

  @Override
  public void kill(Task task, Siginfo signal) {
    end(task, "killed by " + signal.signal(), DeathSignal.of(signal));
  }

  /** Ends a process so that others can have its memory. */
  void killForMemory(TaskObject task) {
    end(task, "killed by SIGKILL (out of memory)", null);
  }

  /** Nobody handles a refused access: fatal where processes dump cores, else told to whoever made it. */
  private void refused(TaskObject task, Siginfo info, Access access) {
    if (cores.enabled()) {
      end(task, "killed by " + info.signal(), DeathSignal.of(info, access));
    }
  }

  private void end(Task task, String how, @Nullable DeathSignal signal) {
    if (!(task instanceof TaskObject object)) {
      return;
    }
    SortedMap<Integer, OpenFileObject> files = object.finish(how);
    if (files == null) {
      return;
    }
    if (signal != null && signal.dumps() && cores.dumpDying(object, signal)) {
      object.annotateEnd(" (core dumped)");
    }
    ExitOperation.exit(object.space());
    files.values().forEach(OpenFileObject::release);
    tasks.remove(object.pid());
    statistics.forget(object.pid());
    trace(TraceEvent.Kind.EXIT, object, String.valueOf(object.end()));
  }

  private void trace(TraceEvent.Kind kind, TaskObject task, String text) {
    if (services.tracer().enabled()) {
      services.tracer().emit(kind, task.pid(), null, 0, 0, text);
    }
  }

  @Override
  public Optional<Task> find(int pid) {
    return Optional.ofNullable(tasks.get(pid));
  }

  @Override
  public List<Task> list() {
    return List.copyOf(tasks.values());
  }

  /** The address spaces of all running processes, by number. */
  public List<AddressSpace> spaces() {
    List<AddressSpace> spaces = new ArrayList<>();
    for (TaskObject task : tasks.values()) {
      spaces.add(task.space());
    }
    return spaces;
  }

  /** The spaces of processes that are not yet in the table. Look there before {@link #running}. */
  List<Birth> births() {
    return List.copyOf(births.values());
  }

  /** The running processes. */
  List<TaskObject> running() {
    return List.copyOf(tasks.values());
  }
}
