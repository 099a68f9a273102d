// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.MmapProvider;
import io.faultline.device.Placement;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * What an open file's driver says of it when it is asked. A driver that fails to answer is as one that
 * does not know; the failure is counted and logged.
 */
final class FileTraits {
  private final OpenFileObject file;
  private final FileCalls calls;

  FileTraits(OpenFileObject file, FileCalls calls) {
    this.file = file;
    this.calls = calls;
  }

  Placement placement() {
    if (!calls.overrides("placement")) {
      return Placement.DEFAULT;
    }
    try {
      Placement placement = calls.<@Nullable Placement>call(
          "placement", Errno.ENODEV, MmapProvider::placement);
      if (placement != null) {
        return placement;
      }
      String unused = calls.failed("placement", "it returned null");
    } catch (ErrnoException e) {
      // Counted and logged.
    }
    return Placement.DEFAULT;
  }

  boolean supportsMapSync() {
    if (!calls.overrides("supportsMapSync")) {
      return false;
    }
    try {
      return calls.call("supportsMapSync", Errno.ENODEV, MmapProvider::supportsMapSync);
    } catch (ErrnoException e) {
      return false;
    }
  }

  /** In bytes; the inode's when the driver does not know. */
  long size() {
    if (!calls.overrides("size")) {
      return file.inode().size();
    }
    try {
      long size = calls.call("size", Errno.ENODEV, provider -> provider.size(file));
      return Math.max(0, size);
    } catch (ErrnoException e) {
      return file.inode().size();
    }
  }
}
