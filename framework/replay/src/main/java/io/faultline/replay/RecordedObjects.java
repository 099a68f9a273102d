// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.device.DeviceNumber;
import io.faultline.kernel.KernelObjects;
import io.faultline.replay.recording.Note;
import org.jspecify.annotations.Nullable;

/**
 * Gives a kernel object the identity that the {@code @newobj} note before the call foretold. The
 * replay's thread is the one that makes the calls, so there is nothing to lock.
 */
public final class RecordedObjects implements KernelObjects {
  /** The device of the kernel's own shared memory, when a recording names none. */
  private static final DeviceNumber SHMEM = new DeviceNumber(0, 1);

  /** First inode number of objects that the recording did not foretell: far from real ones. */
  private static final long UNFORETOLD = 1L << 40;

  private Note.@Nullable NewObject foretold;
  private long unforetold = UNFORETOLD;

  /** The next object is this one. */
  public void foretell(Note.NewObject note) {
    foretold = note;
  }

  /** What was foretold and not made yet. */
  Note.@Nullable NewObject foretold() {
    return foretold;
  }

  /** The call is over: what it did not make, it will not make. */
  public void forget() {
    foretold = null;
  }

  @Override
  public Identity next(Kind kind, long length) {
    Note.NewObject note = foretold;
    if (note != null) {
      foretold = null;
      Note.FileName name = note.name();
      return new Identity(name.device(), name.number(), name.path(), note.length());
    }
    // Linux makes the object before it finds that the call fails; such an object has no note.
    String path =
        switch (kind) {
          case SHARED_MEMORY -> "/dev/zero (deleted)";
          case SYSV_SEGMENT -> "/SYSV00000000 (deleted)";
          case AIO_RING -> "/[aio] (deleted)";
        };
    return new Identity(SHMEM, unforetold++, path, -1);
  }
}
