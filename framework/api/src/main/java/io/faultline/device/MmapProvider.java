// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A driver's part in {@code open}, {@code read}, {@code write} and {@code mmap} of its devices: the
 * {@code struct file_operations} of Linux. Registered as an OSGi service with {@link Device}'s
 * properties, it makes the nodes appear in {@code /dev}; unregistered, it takes them away.
 *
 * <p><b>A method that a driver does not override is a null entry of Linux's structure.</b> A device
 * without {@link #mmap} answers {@code mmap(2)} with ENODEV before anything is changed.
 *
 * <p>Several threads may call at once, except that {@code mmap} holds the address space's lock. {@code
 * open}, {@code release} and {@code mmap} are called by a thread of the kernel's while the one that made the
 * system call waits.
 */
@ConsumerType
public interface MmapProvider {
  /**
   * The most that one {@link #read} or {@link #write} is asked for, in bytes ({@code MAX_RW_COUNT}):
   * the kernel cuts what is longer, so that the count fits an {@code int}.
   */
  int MAX_RW_COUNT = 0x7fff_f000;

  /**
   * A process opens the device.
   *
   * @throws ErrnoException to refuse
   */
  default void open(OpenFile file) throws ErrnoException {}

  /** The last reference to an open file is gone: descriptors and mappings alike. */
  default void release(OpenFile file) {}

  /**
   * Reads bytes.
   *
   * @param offset where in the file, in bytes; the kernel has refused what is negative, or overflows
   *     when the length is added
   * @param target filled from its beginning; 0 to {@link #MAX_RW_COUNT} bytes long
   * @return the number of bytes read; 0 at the end of the file
   * @throws ErrnoException when none can be read
   */
  default int read(OpenFile file, long offset, MemorySegment target) throws ErrnoException {
    throw new ErrnoException(Errno.EINVAL, "read: " + file.inode().path() + " has no read");
  }

  /**
   * Writes bytes.
   *
   * @param offset where in the file, in bytes; the kernel has refused what is negative, or overflows
   *     when the length is added
   * @param source written from its beginning; 0 to {@link #MAX_RW_COUNT} bytes long
   * @return the number of bytes written
   * @throws ErrnoException when none can be written
   */
  default int write(OpenFile file, long offset, MemorySegment source) throws ErrnoException {
    throw new ErrnoException(Errno.EINVAL, "write: " + file.inode().path() + " has no write");
  }

  /**
   * Sends on what was stored in a part of the file and waits in the driver: {@code fsync(2)}, and {@code
   * msync(2)} with {@code MS_SYNC} of a shared mapping. Without an override both are EINVAL, as in Linux
   * for a device without {@code fsync}. Not called for a file whose pages the kernel keeps ({@link
   * AddressSpaceOperations}). No lock of the kernel is held.
   *
   * @param start the first byte's place in the file
   * @param end that of the first byte behind the part; {@link Long#MAX_VALUE} for the whole file
   * @throws ErrnoException when it cannot be sent
   */
  default void fsync(OpenFile file, long start, long end) throws ErrnoException {
    throw new ErrnoException(Errno.EINVAL, "fd: " + file.inode().path() + " has no fsync");
  }

  /**
   * Completes an area that {@code mmap(2)} is about to make (LDD3 p. 424). The kernel has chosen
   * the range and checked the file's mode; the driver sets flags, operations and private data, or
   * maps frames. As with 6.17's {@code mmap_prepare} it gets a request and never the area. {@link
   * io.faultline.mm.VmOperations#open} is not called for this first reference; a driver that counts
   * areas counts this one here, as the last thing it does.
   *
   * <p>Once this method has returned, {@link io.faultline.mm.VmOperations#close} is called for the
   * area exactly once. As in Linux 6.18 the kernel refuses before it asks the driver, and nothing that it
   * does afterwards can fail; but a method that returns after its time limit has made no area: {@code mmap}
   * fails with ETIMEDOUT, and {@code close} follows at once.
   *
   * @param file the open file; its reference is the area's
   * @param request what is asked for, and where the answers go
   * @throws ErrnoException to refuse: what was mapped is undone, and {@code close} is not called
   */
  default void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    throw new ErrnoException(Errno.ENODEV, "fd: " + file.inode().path() + " cannot be mapped");
  }

  /** How mappings of this file are placed. */
  default Placement placement() {
    return Placement.DEFAULT;
  }

  /** Whether {@code MAP_SYNC} may be asked of this file ({@code FOP_MMAP_SYNC}). */
  default boolean supportsMapSync() {
    return false;
  }

  /** How many bytes {@code read} could return at once; only for {@code ls}-like displays. */
  default long size(OpenFile file) {
    return file.inode().size();
  }
}
