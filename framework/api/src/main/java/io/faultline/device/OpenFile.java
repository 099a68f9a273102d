// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * An open file ({@code struct file}). Its identity matters: two areas join only when they map the
 * same open file, not merely the same inode. Thread-safe.
 */
@ProviderType
public interface OpenFile {
  /** The file that is open. */
  Inode inode();

  /** How it was opened. */
  AccessMode mode();

  /** Whether it was opened with {@code O_APPEND}. */
  boolean append();

  /** Which of the driver's devices: the minor number less the first minor of its registration. */
  int index();

  /** The position for read and write, in bytes. */
  long position();

  /** Sets the position, in bytes. */
  void setPosition(long position);

  /** What the driver stored ({@code filp->private_data}). */
  @Nullable Object privateData();

  /** Stores a value of the driver's own, usually in {@code open}. */
  void setPrivateData(@Nullable Object data);
}
