// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.device.DeviceNumber;
import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.replay.recording.Note;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * System V segments for one process, made by the tracer, since {@code shmget} is no call of a
 * recording. Histories name them 0 to {@link #COUNT} - 1. Closing marks them for removal.
 */
final class HostSegments implements AutoCloseable {
  /** How many there are. */
  static final int COUNT = 4;

  private static final long[] SIZES = {1, 5 * 4096 - 100, 74 * 4096, (2 << 20) + 4096};
  private static final int RIGHTS = 0777;
  private static final int IPC_RMID = 0;
  /** Where the kernel's own shared memory is. */
  private static final DeviceNumber SHMEM = new DeviceNumber(0, 1);

  private final LinuxCalls calls;
  private final List<Integer> ids = new ArrayList<>();

  private HostSegments(LinuxCalls calls) {
    this.calls = calls;
  }

  static HostSegments make(LinuxCalls calls) throws HostException {
    HostSegments made = new HostSegments(calls);
    for (long size : SIZES) {
      long id = calls.call(SyscallNumber.SHMGET, 0, size, RIGHTS);
      if (id < 0) {
        made.close();
        throw new HostException("shmget: " + Errnos.describe((int) -id), (int) -id);
      }
      made.ids.add((int) id);
    }
    return made;
  }

  /** The kernel's number of a segment; that of none for others. */
  int realId(int id) {
    return id >= 0 && id < ids.size() ? ids.get(id) : -1;
  }

  /** What {@code maps} shows of a segment, with its size; null for none. */
  Note.@Nullable NewObject note(int id) {
    return id >= 0 && id < ids.size()
        ? new Note.NewObject(0,
            new Note.FileName(SHMEM, ids.get(id), "/SYSV00000000 (deleted)"), SIZES[id])
        : null;
  }

  @Override
  public void close() {
    for (int id : ids) {
      calls.call(SyscallNumber.SHMCTL, id, IPC_RMID, 0);
    }
    ids.clear();
  }
}
