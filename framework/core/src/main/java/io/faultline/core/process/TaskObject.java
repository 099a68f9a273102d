// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.device.Driver;
import io.faultline.core.device.OpenFileObject;
import io.faultline.core.fault.PageFaultHandler;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.Cpu;
import io.faultline.core.paging.FaultHandler;
import io.faultline.device.OpenFile;
import io.faultline.kernel.CoreFilter;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.DecisionListener;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Limits;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Signal;
import io.faultline.mm.SignalException;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A process ({@code struct task_struct}): descriptors and an address space. */
final class TaskObject implements Task {
  private static final int MAX_DESCRIPTORS = 1024;

  private final int pid;
  private final int parentPid;
  private final String name;
  private final CommandLine commandLine;
  private final AddressSpace space;
  private final PageFaultHandler faults;
  private final UnhandledSignals unhandled;
  /** Guarded by itself. */
  private final SortedMap<Integer, OpenFileObject> files = new TreeMap<>();
  /** Guarded by {@link #files}. */
  private @Nullable String end;

  private volatile Set<Signal> handledSignals = Set.of();
  private volatile int coreFilter = CoreFilter.DEFAULT;
  private volatile int oomScoreAdj;

  TaskObject(
      int pid,
      int parentPid,
      String name,
      CommandLine commandLine,
      AddressSpace space,
      PageFaultHandler faults,
      UnhandledSignals unhandled) {
    this.pid = pid;
    this.parentPid = parentPid;
    this.name = name;
    this.commandLine = commandLine;
    this.space = space;
    this.faults = faults;
    this.unhandled = unhandled;
  }

  /** A child with a copy of the address space; it shares files and inherits what is inherited. */
  TaskObject child(int childPid, AddressSpace copy) {
    TaskObject child =
        new TaskObject(childPid, pid, name, commandLine, copy, faults, unhandled);
    child.handledSignals = handledSignals;
    child.coreFilter = coreFilter;
    child.oomScoreAdj = oomScoreAdj;
    shareFilesWith(child);
    return child;
  }

  CommandLine commandLine() {
    return commandLine;
  }

  /** {@code /proc/PID/coredump_filter}. */
  int coreFilter() {
    return coreFilter;
  }

  void setCoreFilter(int mask) {
    coreFilter = mask & CoreFilter.ALL;
  }

  AddressSpace space() {
    return space;
  }

  @Override
  public int pid() {
    return pid;
  }

  @Override
  public int parentPid() {
    return parentPid;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean alive() {
    return end() == null;
  }

  @Override
  public @Nullable String end() {
    synchronized (files) {
      return end;
    }
  }

  @Override
  public KernelProfile profile() {
    return space.profile();
  }

  @Override
  public Limits limits() {
    return space.limits();
  }

  @Override
  public void setLimits(Limits limits) {
    space.setLimits(limits);
  }

  @Override
  public int oomScoreAdj() {
    return oomScoreAdj;
  }

  @Override
  public void setOomScoreAdj(int adjustment) {
    if (adjustment < OomKiller.NEVER || adjustment > -OomKiller.NEVER) {
      throw new IllegalArgumentException(
          "adjustment = " + adjustment + ": give -1000 to 1000");
    }
    oomScoreAdj = adjustment;
  }

  @Override
  public Credentials credentials() {
    return space.credentials();
  }

  @Override
  public @Nullable OpenFile file(int fd) {
    return descriptor(fd);
  }

  @Nullable OpenFileObject descriptor(int fd) {
    synchronized (files) {
      return files.get(fd);
    }
  }

  /**
   * As {@link #descriptor}, with a reference of the caller's ({@code fget}): who waits keeps the file,
   * though another thread closes it.
   */
  @Nullable OpenFileObject hold(int fd) {
    synchronized (files) {
      OpenFileObject file = files.get(fd);
      if (file != null) {
        file.retain();
      }
      return file;
    }
  }

  /** Whether a device of one of these drivers is open. */
  boolean hasOpen(Set<Driver> drivers) {
    synchronized (files) {
      return files.values().stream().anyMatch(file -> drivers.contains(file.driver()));
    }
  }

  @Override
  public SortedMap<Integer, OpenFile> files() {
    synchronized (files) {
      return new TreeMap<>(files);
    }
  }

  @Override
  public void explainTo(@Nullable DecisionListener listener) {
    space.decisions().explainTo(listener);
  }

  @Override
  public Set<Signal> handledSignals() {
    return handledSignals;
  }

  @Override
  public void setHandledSignals(Set<Signal> signals) {
    if (signals.contains(Signal.SIGKILL)) {
      throw new IllegalArgumentException("signals: nobody can handle SIGKILL");
    }
    handledSignals = Set.copyOf(signals);
  }

  @Override
  public UserMemory newCpu() {
    return new Cpu(
        space.tables(),
        new FaultHandler() {
          @Override
          public void fault(long address, Access access) {
            try {
              faults.faultOrThrow(space, address, access);
            } catch (SignalException refused) {
              throw told(refused, access);
            }
          }

          @Override
          public void busError(long address, Access access, String cause) {
            throw told(faults.busError(space, address, access, cause), access);
          }
        });
  }

  private SignalException told(SignalException refused, Access access) {
    if (!handledSignals.contains(refused.info().signal())) {
      unhandled.refused(this, refused.info(), access);
    }
    return refused;
  }

  /** Gives a file the lowest free descriptor; the file's reference is the descriptor's. */
  int install(OpenFileObject file) throws ErrnoException {
    synchronized (files) {
      int fd = 0;
      for (int taken : files.keySet()) {
        if (taken != fd) {
          break;
        }
        fd++;
      }
      if (end != null || fd >= MAX_DESCRIPTORS) {
        throw new ErrnoException(Errno.EMFILE, "process " + pid + " has no descriptor left");
      }
      files.put(fd, file);
      return fd;
    }
  }

  /**
   * Puts a file at a descriptor; the file's reference is the descriptor's.
   *
   * @return what stood there before
   */
  @Nullable OpenFileObject replace(int fd, OpenFileObject file) {
    synchronized (files) {
      return files.put(fd, file);
    }
  }

  /** Takes a descriptor away; its reference is the caller's now. */
  @Nullable OpenFileObject remove(int fd) {
    synchronized (files) {
      return files.remove(fd);
    }
  }

  /** Shares all descriptors with a child. */
  private void shareFilesWith(TaskObject child) {
    synchronized (files) {
      files.forEach(
          (fd, file) -> {
            file.retain();
            child.replace(fd, file);
          });
    }
  }

  /** Adds to how it ended. */
  void annotateEnd(String more) {
    synchronized (files) {
      end = end + more;
    }
  }

  /**
   * Marks the end.
   *
   * @return the descriptors' files, whose references are the caller's now; null when it had ended
   *     before
   */
  @Nullable SortedMap<Integer, OpenFileObject> finish(String how) {
    synchronized (files) {
      if (end != null) {
        return null;
      }
      end = how;
      SortedMap<Integer, OpenFileObject> left = new TreeMap<>(files);
      files.clear();
      return left;
    }
  }

  @Override
  public String toString() {
    return pid + " " + name;
  }
}
