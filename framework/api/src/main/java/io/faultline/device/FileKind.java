// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

/** What kind of file an inode is. */
public enum FileKind {
  REGULAR,
  DIRECTORY,
  CHARACTER_DEVICE,
  FIFO,
  SOCKET,
  /** An object with no name in any directory: {@code anon_inode:}. */
  ANONYMOUS
}
