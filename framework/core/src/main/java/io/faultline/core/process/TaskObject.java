// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.device.OpenFileObject;
import io.faultline.core.fault.PageFaultHandler;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.Cpu;
import io.faultline.device.OpenFile;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.DecisionListener;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Limits;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A process ({@code struct task_struct}): descriptors and an address space. */
final class TaskObject implements Task {
  private static final int MAX_DESCRIPTORS = 1024;

  private final int pid;
  private final int parentPid;
  private final String name;
  private final AddressSpace space;
  private final PageFaultHandler faults;
  /** Guarded by itself. */
  private final SortedMap<Integer, OpenFileObject> files = new TreeMap<>();
  /** Guarded by {@link #files}. */
  private @Nullable String end;

  TaskObject(int pid, int parentPid, String name, AddressSpace space, PageFaultHandler faults) {
    this.pid = pid;
    this.parentPid = parentPid;
    this.name = name;
    this.space = space;
    this.faults = faults;
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
  public UserMemory newCpu() {
    return new Cpu(
        space.tables(), (address, access) -> faults.faultOrThrow(space, address, access));
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
  void shareFilesWith(TaskObject child) {
    synchronized (files) {
      files.forEach(
          (fd, file) -> {
            file.retain();
            child.replace(fd, file);
          });
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
