// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.OpenFileObject;
import io.faultline.device.AccessMode;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.device.OpenFile;
import io.faultline.kernel.Files;
import io.faultline.kernel.PageCacheCounts;
import io.faultline.kernel.Task;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.lang.foreign.MemorySegment;

/** The descriptors of processes. Thread-safe. */
public final class FileService implements Files {
  private final DeviceTable devices;

  public FileService(DeviceTable devices) {
    this.devices = devices;
  }

  @Override
  public int open(Task task, String path, AccessMode mode) throws ErrnoException {
    TaskObject owner = TaskTable.of(task);
    OpenFileObject file = open(owner, path, mode);
    try {
      return owner.install(file);
    } catch (ErrnoException noDescriptor) {
      file.release();
      throw noDescriptor;
    }
  }

  /** Waits for a driver that is being updated, as faults do. */
  private OpenFileObject open(TaskObject owner, String path, AccessMode mode)
      throws ErrnoException {
    while (true) {
      // Before the look at who is waited for: one that is just coming has its number already.
      long drivers = devices.generation();
      Waits.untilDriver(owner, () -> devices.parking(path));
      try {
        return devices.open(path, mode, false, owner.credentials());
      } catch (ErrnoException refused) {
        // It may have gone meanwhile, or have come back since.
        if (devices.parking(path) == null && devices.generation() == drivers) {
          throw refused;
        }
      }
    }
  }

  @Override
  public OpenFile open(Task task, int fd, Inode inode, AccessMode mode, boolean append)
      throws ErrnoException {
    checkNotNegative(fd);
    OpenFileObject file = devices.open(inode, mode, append);
    put(TaskTable.of(task), fd, file);
    return file;
  }

  @Override
  public void install(Task task, int fd, OpenFile file) {
    checkNotNegative(fd);
    if (!(file instanceof OpenFileObject object) || !(task instanceof TaskObject owner)) {
      throw new IllegalArgumentException("task, file: not of this kernel");
    }
    object.retain();
    put(owner, fd, object);
  }

  private static void put(TaskObject owner, int fd, OpenFileObject file) {
    OpenFileObject before = owner.replace(fd, file);
    if (before != null) {
      before.release();
    }
  }

  private static void checkNotNegative(int fd) {
    if (fd < 0) {
      throw new IllegalArgumentException("fd: " + fd + " is negative");
    }
  }

  @Override
  public void close(Task task, int fd) throws ErrnoException {
    OpenFileObject file = TaskTable.of(task).remove(fd);
    if (file == null) {
      throw badDescriptor(fd);
    }
    file.release();
  }

  @Override
  public int read(Task task, int fd, MemorySegment target) throws ErrnoException {
    OpenFileObject file = require(task, fd);
    long position = file.position();
    int count = file.read(position, bounded(position, target));
    file.setPosition(position + count);
    return count;
  }

  @Override
  public int write(Task task, int fd, MemorySegment source) throws ErrnoException {
    OpenFileObject file = require(task, fd);
    long position = file.append() ? file.size() : file.position();
    int count = file.write(position, bounded(position, source));
    file.setPosition(position + count);
    return count;
  }

  /** What Linux lets through to a driver ({@code rw_verify_area}). */
  private static MemorySegment bounded(long position, MemorySegment bytes)
      throws ErrnoException {
    long length = Math.min(bytes.byteSize(), MmapProvider.MAX_RW_COUNT);
    if (position + length < 0) {
      throw new ErrnoException(Errno.EINVAL, "position, length: their sum overflows");
    }
    return bytes.asSlice(0, length);
  }

  @Override
  public void seek(Task task, int fd, long position) throws ErrnoException {
    OpenFileObject file = require(task, fd);
    if (position < 0) {
      throw new ErrnoException(Errno.EINVAL, "position: " + position + " is negative");
    }
    file.setPosition(position);
  }

  @Override
  public void ftruncate(Task task, int fd, long size) throws ErrnoException {
    require(task, fd).truncate(size);
  }

  @Override
  public void fsync(Task task, int fd) throws ErrnoException {
    require(task, fd).sync(0, Long.MAX_VALUE);
  }

  @Override
  public void sync() {
    devices.mappings().writeBack(0);
  }

  @Override
  public PageCacheCounts pageCache() {
    return devices.mappings().pageCache();
  }

  private static OpenFileObject require(Task task, int fd) throws ErrnoException {
    OpenFileObject file = TaskTable.of(task).descriptor(fd);
    if (file == null || file.mode() == AccessMode.PATH) {
      throw badDescriptor(fd);
    }
    return file;
  }

  private static ErrnoException badDescriptor(int fd) {
    return new ErrnoException(Errno.EBADF, "fd: " + fd + " is not open");
  }
}
