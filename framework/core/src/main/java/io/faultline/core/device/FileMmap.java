// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Parking;
import io.faultline.kernel.TraceEvent;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/** The driver's part in {@code mmap(2)} of an open file, and the wait for a driver that is to come back. */
final class FileMmap {
  private final OpenFileObject file;
  private final FileCalls calls;
  private final @Nullable CachedFile cached;

  /**
   * @param cached null for a file of a device
   */
  FileMmap(OpenFileObject file, FileCalls calls, @Nullable CachedFile cached) {
    this.file = file;
    this.calls = calls;
    this.cached = cached;
  }

  boolean isPossible() {
    return calls.overrides("mmap");
  }

  /** See {@link OpenFileObject#parking}. */
  @Nullable Parking parking() {
    DeviceNode node = file.node();
    Driver driver = node.driver();
    return driver.isPresent() || !driver.parks() || node.inode() == null || !isPossible()
        || node.kernel().watchdog().slot().inside(driver)
            ? null
            : driver;
  }

  /** See {@link OpenFileObject#isToTryAgain}. */
  boolean isToTryAgain() {
    DeviceNode node = file.node();
    // Without a call nothing was refused now: what the thread remembers is of another driver.
    return isPossible() && node.kernel().watchdog().slot().wasAbsent()
        && (node.driver().isPresent() || parking() != null);
  }

  /** See {@link OpenFileObject#mmap}. */
  void run(MmapRequestObject request) throws ErrnoException {
    if (!isPossible()) {
      throw new ErrnoException(Errno.ENODEV, "fd: " + file.inode().path() + " cannot be mapped");
    }
    boolean done = false;
    try {
      calls.call("mmap", Errno.ENODEV, provider -> {
        // Here: the node may be another one than before a wait.
        request.begin(file.node(), cached);
        provider.mmap(file, request);
        request.complete();
        return null;
      });
      done = true;
      file.track(request.operations());
    } finally {
      request.finish();
      if (!done) {
        request.discard();
      }
      Tracer tracer = file.node().kernel().tracer();
      if (tracer.enabled()) {
        tracer.emit(
            TraceEvent.Kind.MMAP, request.pid(), file.owner(), request.start(), request.end(),
            done ? "mmap" : "mmap failed");
      }
    }
  }
}
