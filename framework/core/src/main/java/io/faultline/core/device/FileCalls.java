// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.MmapProvider;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * Calls of {@code file_operations} for one open file: they wait while its driver is being exchanged, and
 * go to the successor. Thread-safe.
 */
final class FileCalls {
  private final OpenFileObject file;

  FileCalls(OpenFileObject file) {
    this.file = file;
  }

  /** Whether the driver overrides a method. */
  boolean overrides(String method) {
    return file.node().driver().overrides().has(method);
  }

  /** Calls the driver; waits while it is being exchanged. For the rest see {@link DeviceNode#call}. */
  <R extends @Nullable Object> R call(
      String operation, Errno whenGone, DriverCall<MmapProvider, R> body) throws ErrnoException {
    return call(operation, false, false, whenGone, body);
  }

  /**
   * As {@link #call}, so that the caller goes on whatever the driver does: who releases a file may be
   * about to end a process.
   *
   * @param whileLeaving whether a driver that is being unregistered is called
   */
  <R extends @Nullable Object> R callAside(
      String operation, boolean whileLeaving, Errno whenGone, DriverCall<MmapProvider, R> body)
      throws ErrnoException {
    return call(operation, true, whileLeaving, whenGone, body);
  }

  private <R extends @Nullable Object> R call(
      String operation, boolean aside, boolean whileLeaving, Errno whenGone,
      DriverCall<MmapProvider, R> body)
      throws ErrnoException {
    while (true) {
      DeviceNode now = file.node();
      Lease<MmapProvider> lease = now.driver().lease();
      try {
        if (!aside) {
          return now.callFile(lease, operation, whileLeaving, whenGone, body);
        }
        // What a driver does not override does nothing, and needs no other thread.
        return now.driver().overrides().has(operation)
            ? now.callAside(lease, operation, whileLeaving, whenGone, true, body)
            : now.callHere(lease, operation, whileLeaving, whenGone, true, body);
      } catch (ExchangeException again) {
        now.driver().awaitExchange(whileLeaving);
      } catch (ErrnoException refused) {
        if (file.node() == now || !now.kernel().watchdog().slot().wasAbsent()) {
          throw refused;
        }
        // Another driver took the file over between the look at the node and the call.
      }
    }
  }

  /** As {@link #call}, and waits for a driver that is to come back. No lock of a space is held. */
  <R extends @Nullable Object> R transfer(String operation, DriverCall<MmapProvider, R> body)
      throws ErrnoException {
    while (true) {
      try {
        return call(operation, Errno.ENXIO, body);
      } catch (ErrnoException refused) {
        DeviceNode now = file.node();
        Driver driver = now.driver();
        if (!now.kernel().watchdog().slot().wasAbsent() || !driver.parks() || file.isReleased()) {
          throw refused;
        }
        if (!driver.pause()) {
          throw new ErrnoException(
              Errno.EINTR, operation + ": the wait for the driver was interrupted");
        }
      }
    }
  }

  /** The driver has answered what it must not: that is counted against it. Returns the text. */
  String failed(String operation, String why) {
    DeviceNode node = file.node();
    return node.failed(node.kernel().watchdog().slot(), operation, why, null);
  }
}
