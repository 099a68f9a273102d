// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

/** How a file was opened. */
public enum AccessMode {
  /** {@code O_RDONLY}. */
  READ_ONLY,
  /** {@code O_WRONLY}. */
  WRITE_ONLY,
  /** {@code O_RDWR}. */
  READ_WRITE,
  /** {@code O_PATH}: a name only; reading, writing and mapping fail with EBADF. */
  PATH;

  /** Whether the file may be read ({@code FMODE_READ}). */
  public boolean canRead() {
    return this == READ_ONLY || this == READ_WRITE;
  }

  /** Whether the file may be written ({@code FMODE_WRITE}). */
  public boolean canWrite() {
    return this == WRITE_ONLY || this == READ_WRITE;
  }
}
