// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.area.Parking;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** How calls wait for a driver that is to come back: with no lock held. */
final class Waits {
  private Waits() {}

  /**
   * Waits as long as there is where to wait.
   *
   * @throws ErrnoException EINTR when the thread is interrupted; ESRCH when the process ends
   */
  static void untilDriver(TaskObject task, Supplier<@Nullable Parking> where)
      throws ErrnoException {
    for (Parking parking = where.get(); parking != null; parking = where.get()) {
      if (!task.alive()) {
        throw new ErrnoException(
            Errno.ESRCH, "process " + task.pid() + " has ended while it waited for a driver");
      }
      if (!parking.pause()) {
        throw new ErrnoException(Errno.EINTR, "the wait for the driver was interrupted");
      }
    }
  }
}
