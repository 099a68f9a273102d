// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.DeviceNumber;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Names the objects that the kernel creates behind shared anonymous memory, shared {@code /dev/zero},
 * System V segments and AIO rings. A replayer supplies the recorded names; everyone else leaves it to
 * the kernel.
 */
@ConsumerType
public interface KernelObjects {
  /** What kind of object is made. */
  enum Kind {
    /** {@code MAP_SHARED|MAP_ANONYMOUS}, or a shared mapping of {@code /dev/zero}. */
    SHARED_MEMORY,
    /** A System V segment. */
    SYSV_SEGMENT,
    /** The ring of {@code io_setup(2)}. */
    AIO_RING
  }

  /**
   * The identity of a new object.
   *
   * @param device the device that {@code /proc/PID/maps} prints
   * @param inode the inode number
   * @param path the name
   * @param length the size in bytes where the caller knows better than the kernel, else -1
   */
  record Identity(DeviceNumber device, long inode, String path, long length) {}

  /**
   * Names the next object. Called on the thread that makes the system call.
   *
   * @param kind its kind
   * @param length its size in bytes, or -1 when not known
   */
  Identity next(Kind kind, long length);
}
