// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.AccessMode;
import io.faultline.device.Inode;
import io.faultline.device.OpenFile;
import io.faultline.mm.ErrnoException;
import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/** The file descriptors of processes. Thread-safe. */
@ProviderType
public interface Files {
  /**
   * {@code open(2)} of a device node, or of a file below a mounted file system.
   *
   * @param path {@code /dev/NAME}, or the mount point and the path below it
   * @return the lowest free descriptor
   * @throws ErrnoException ENOENT when there is no such device and nothing is mounted there, ENXIO
   *     when its driver is gone, EACCES when the node's {@code device.mode} does not let the process's
   *     user read or write it ({@code inode_permission}), or what the file system's {@code lookup} or the driver's {@code open}
   *     throws
   */
  int open(Task task, String path, AccessMode mode) throws ErrnoException;

  /**
   * Makes an open file of an inode and gives it a descriptor, whatever stood there before.
   *
   * @param fd the descriptor, not negative
   * @param append opened with {@code O_APPEND}
   * @throws ErrnoException what the provider's {@code open} throws
   */
  OpenFile open(Task task, int fd, Inode inode, AccessMode mode, boolean append)
      throws ErrnoException;

  /**
   * {@code dup2(2)}: lets a descriptor stand for an open file.
   *
   * @param fd the descriptor, not negative
   */
  void install(Task task, int fd, OpenFile file);

  /**
   * {@code close(2)}.
   *
   * @throws ErrnoException EBADF
   */
  void close(Task task, int fd) throws ErrnoException;

  /**
   * {@code read(2)} at the file's position, which moves on.
   *
   * @return bytes read; 0 at the end
   * @throws ErrnoException EBADF, or the driver's
   */
  int read(Task task, int fd, MemorySegment target) throws ErrnoException;

  /**
   * {@code write(2)} at the file's position, which moves on.
   *
   * @return bytes written
   * @throws ErrnoException EBADF, or the driver's
   */
  int write(Task task, int fd, MemorySegment source) throws ErrnoException;

  /**
   * {@code lseek(2)} with SEEK_SET.
   *
   * @throws ErrnoException EBADF, EINVAL when negative
   */
  void seek(Task task, int fd, long position) throws ErrnoException;

  /**
   * {@code ftruncate(2)}: changes the size of a file with a page cache. Pages behind a smaller size are
   * dropped and unmapped, private copies included.
   *
   * @param size in bytes
   * @throws ErrnoException EBADF when it is not open, EINVAL when it is not open for writing, has no
   *     page cache or the size is negative; the file system's
   */
  void ftruncate(Task task, int fd, long size) throws ErrnoException;

  /**
   * {@code fsync(2)}: writes the file's dirty pages back, and makes them outlive a crash. An error of a
   * write-back is told once for each open file, also if it happened earlier in the background; the
   * pages stay dirty and are tried again. A file without a page cache asks its driver ({@link
   * io.faultline.device.MmapProvider#fsync}).
   *
   * @throws ErrnoException EBADF; EINVAL when the file has neither a page cache nor a driver with {@code
   *     fsync}; what that throws; ENOSPC, EIO, ENXIO when pages
   *     could not be written
   */
  void fsync(Task task, int fd) throws ErrnoException;

  /** {@code sync(2)}: writes the dirty pages of all files back. Tells of no error, as in Linux. */
  void sync();

  /** What the page cache holds. */
  PageCacheCounts pageCache();
}
