// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.BusException;
import io.faultline.core.memory.IoAccess;
import io.faultline.device.IoHandler;
import io.faultline.kernel.TraceEvent;
import org.jspecify.annotations.Nullable;

/**
 * The handler of an I/O region behind its guard, for the device that has mapped the region. Allocates
 * nothing as long as the driver behaves. Thread-safe.
 */
final class GuardedIo {
  private static final String READ = "I/O read";
  private static final String WRITE = "I/O write";

  private final DeviceNode node;
  private final Lease<IoHandler> lease;
  private final String region;

  GuardedIo(DeviceNode node, Lease<IoHandler> lease, String region) {
    this.node = node;
    this.lease = lease;
    this.region = region;
  }

  DeviceNode node() {
    return node;
  }

  Driver driver() {
    return node.driver();
  }

  Lease<IoHandler> lease() {
    return lease;
  }

  long load(long offset, int size) throws BusException {
    return access(READ, offset, size, 0);
  }

  void store(long offset, int size, long value) throws BusException {
    long unused = access(WRITE, offset, size, IoAccess.truncate(value, size));
  }

  private long access(String operation, long offset, int size, long value) throws BusException {
    boolean write = operation.equals(WRITE);
    boolean traced = node.kernel().tracer().enabled();
    CallSlot slot = node.kernel().watchdog().slot();
    // What a driver asks of its own registers belongs to the call that is waited for.
    boolean nested = slot.inside(node.driver());
    CallFrame frame = slot.enter(node, operation, traced);
    if (frame == null) {
      throw new BusException(node.tooDeep(slot, operation), false);
    }
    boolean called = false;
    long result = value;
    String thrown = null;
    String trace = null;
    boolean late;
    try {
      IoHandler handler = node.driver().admits(nested) ? lease.orNull() : null;
      if (handler != null) {
        called = true;
        if (write) {
          handler.write(offset, size, value);
        } else {
          result = handler.read(offset, size);
        }
      }
    } catch (Throwable t) {
      thrown = Failures.line(t);
      trace = Failures.trace(t);
      DeviceNode.keepInterrupt(t);
    } finally {
      late = slot.exit(frame, node);
    }
    if (!called || late || thrown != null) {
      return failed(slot, operation, called, late, thrown, trace);
    }
    node.countCall();
    result = IoAccess.truncate(result, size);
    if (traced) {
      trace(operation, offset, size, result);
    }
    return result;
  }

  /** Zeros for who is to get pages of zeros, until he does. */
  private long failed(
      CallSlot slot, String operation, boolean called, boolean late, @Nullable String thrown,
      @Nullable String trace)
      throws BusException {
    if (late) {
      throw new BusException(node.lateText(slot, operation), false);
    }
    if (!called) {
      if (node.driver().suppliesZeros() && !node.driver().parks()) {
        return 0;
      }
      throw new BusException(node.gone(slot, operation), true);
    }
    throw new BusException(node.failed(slot, operation, String.valueOf(thrown), trace), false);
  }

  /** Waits a moment for the driver; whether the access should be tried again. */
  boolean await() {
    Driver driver = node.driver();
    if (driver.isExchanging()) {
      return !driver.awaitExchangeEnd(false);
    }
    if (driver.isPresent()) {
      return lease.orNull() != null;
    }
    return driver.parks() && driver.pause();
  }

  private void trace(String operation, long offset, int size, long value) {
    node.kernel().tracer().emit(
        TraceEvent.Kind.IO, 0, node.owner(), offset, offset + size,
        "%s of %s at 0x%x, %d bytes: 0x%x".formatted(operation, region, offset, size, value));
  }
}
