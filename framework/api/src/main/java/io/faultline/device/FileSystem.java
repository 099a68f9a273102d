// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.ErrnoException;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A tree of files: {@code struct file_system_type} and {@code inode_operations.lookup}. Registered as
 * an OSGi service with the property {@value #MOUNT_POINT} it is mounted: {@code open(2)} of a path
 * below that directory asks it for the inode. Unregistered, it is unmounted: dirty pages are written
 * back, and from then on its open files answer ENXIO and its mappings SIGBUS.
 *
 * <p>As an {@link MmapProvider} it has the {@code file_operations} of all its files. A file with a page
 * cache needs only {@link #mmap}, which calls {@link MmapRequest#setPageCache} ({@code
 * generic_file_mmap}); the kernel reads and writes it itself.
 */
@ConsumerType
public interface FileSystem extends MmapProvider {
  /** Service property, a text: the directory where it is mounted, absolute: {@code /host}. */
  String MOUNT_POINT = "mount.point";

  /** Service property, a text: the name of its type in messages; the mount point when absent. */
  String TYPE = "mount.type";

  /** Service property, {@code int}: how long a call may take, in milliseconds; 10000 when absent. */
  String TIMEOUT_MILLIS = "mount.timeoutMillis";

  /**
   * Finds a file. As long as a file is open, the same {@link Inode} must be found again.
   *
   * @param path below the mount point, beginning with a slash; neither empty nor {@code .} nor {@code
   *     ..} are names in it
   * @param mode how it is to be opened
   * @throws ErrnoException ENOENT, EACCES, EROFS …
   */
  Inode lookup(String path, AccessMode mode) throws ErrnoException;
}
