// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.mm.FileRange;
import io.faultline.core.mm.MsyncOperation;
import io.faultline.kernel.Task;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.List;

/** {@code msync}: finds out what to store with the space locked, and stores it without. */
final class MsyncCall {
  private MsyncCall() {}

  /** The file's error comes before that of a hole behind it, as Linux meets them. */
  static void msync(Task task, long address, long length, int flags)
      throws ErrnoException {
    List<FileRange> ranges = new ArrayList<>();
    ErrnoException refused = null;
    try {
      CallEntry.read(
          task,
          space -> {
            MsyncOperation.msync(space, address, length, flags, ranges);
            return 0L;
          });
    } catch (ErrnoException e) {
      refused = e;
    }
    ErrnoException failed = null;
    for (FileRange range : ranges) {
      if (failed != null) {
        range.cancel();
        continue;
      }
      try {
        range.sync();
      } catch (ErrnoException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
    if (refused != null) {
      throw refused;
    }
  }
}
