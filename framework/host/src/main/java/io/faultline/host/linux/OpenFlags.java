// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.linux;

/** Flags of {@code open(2)}. */
public final class OpenFlags {
  /** Reading alone. */
  public static final int RDONLY = 0;
  /** Writing alone. */
  public static final int WRONLY = 1;
  /** Both. */
  public static final int RDWR = 2;
  /** The mask of these three. */
  public static final int ACCMODE = 3;
  /** Every write at the end. */
  public static final int APPEND = 0x400;
  /** Closed by {@code execve(2)}. */
  public static final int CLOEXEC = 0x80000;
  /** A place in the file tree and nothing more. */
  public static final int PATH = 0x200000;

  private OpenFlags() {}
}
