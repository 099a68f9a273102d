// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.BusException;
import io.faultline.core.memory.IoAccess;
import io.faultline.device.IoHandler;
import io.faultline.kernel.TraceEvent;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The handler of an I/O region behind its guard, for the device that has mapped the region. Allocates
 * nothing as long as the driver behaves. Thread-safe.
 */
final class GuardedIo {
  static final String READ = "I/O read";
  static final String WRITE = "I/O write";
  private static final String EXCHANGE = "locked I/O read and write";

  private static final int SPINS = 100;
  private static final long LOOK_AGAIN_NANOS = 20_000;

  private final DeviceNode node;
  private final Lease<IoHandler> lease;
  private final String region;
  private final RegionLock lock;

  GuardedIo(DeviceNode node, Lease<IoHandler> lease, IoWindow window) {
    this.node = node;
    this.lease = lease;
    this.region = window.name();
    this.lock = window.lock();
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
    return access(READ, offset, size, 0, 0);
  }

  void store(long offset, int size, long value) throws BusException {
    long unused = access(WRITE, offset, size, IoAccess.truncate(value, size), 0);
  }

  /**
   * A read, and a write of what was read if that is not as expected; no other access of the region in
   * between. What a handler asks of its own registers is part of an access that has begun, and is not
   * kept away, nor does it keep others away.
   *
   * @return what was read
   */
  long exchange(long offset, int size, long expected, long value) throws BusException {
    long newValue = IoAccess.truncate(value, size);
    if (node.kernel().watchdog().slot().inside(node.driver())) {
      return access(EXCHANGE, offset, size, newValue, expected);
    }
    long turn = lock.lock(patienceMillis());
    try {
      awaitAccessesUnderWay();
      return access(EXCHANGE, offset, size, newValue, expected);
    } finally {
      lock.unlock(turn);
    }
  }

  /** How long somebody is waited for: as long as the watchdog gives a call. */
  private long patienceMillis() {
    return node.driver().registration().timeoutMillis() + 5L * Watchdog.PERIOD_MILLIS;
  }

  /** Waits for those that began before the lock was taken; not for such that outlast their limit. */
  private void awaitAccessesUnderWay() {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(patienceMillis());
    for (int i = 0; node.kernel().watchdog().isInIo(node) && System.nanoTime() - end < 0; i++) {
      if (i < SPINS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(this, LOOK_AGAIN_NANOS);
      }
    }
  }

  private long access(String operation, long offset, int size, long value, long expected)
      throws BusException {
    boolean traced = node.kernel().tracer().enabled();
    CallSlot slot = node.kernel().watchdog().slot();
    // What a driver asks of its own registers belongs to the call that is waited for.
    boolean nested = slot.inside(node.driver());
    while (true) {
      CallFrame frame = slot.enter(node, operation, traced);
      if (frame == null) {
        throw new BusException(node.tooDeep(slot, operation), false);
      }
      boolean called = false;
      boolean locked = false;
      long found = value;
      long written = value;
      String thrown = null;
      String trace = null;
      boolean late;
      try {
        locked = !nested && lock.isHeldByAnother();
        IoHandler handler = !locked && node.driver().admits(nested) ? lease.orNull() : null;
        if (handler != null) {
          called = true;
          if (operation.equals(WRITE)) {
            handler.write(offset, size, value);
          } else {
            found = IoAccess.truncate(handler.read(offset, size), size);
            if (operation.equals(EXCHANGE)) {
              written = found == expected ? value : found;
              handler.write(offset, size, written);
            }
          }
        }
      } catch (Throwable t) {
        thrown = Failures.line(t);
        trace = Failures.trace(t);
        DeviceNode.keepInterrupt(t);
      } finally {
        late = slot.exit(frame, node);
      }
      if (locked && !late) {
        awaitLock(slot, operation);
        continue;
      }
      if (!called || late || thrown != null) {
        return failed(slot, operation, called, late, thrown, trace);
      }
      node.countCall();
      if (traced) {
        trace(operation, offset, size, found, written);
      }
      return found;
    }
  }

  /** A driver that waits in a callback must be one that can be interrupted. */
  private void awaitLock(CallSlot slot, String operation) throws BusException {
    if (!lock.awaitFree(patienceMillis(), !slot.busy())) {
      String why =
          node.owner() + ": " + operation + ": the wait for a locked access was interrupted";
      slot.refused(why);
      throw new BusException(why, false);
    }
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

  private void trace(String operation, long offset, int size, long found, long written) {
    if (!operation.equals(WRITE)) {
      traceOne(READ, offset, size, found);
    }
    if (!operation.equals(READ)) {
      traceOne(WRITE, offset, size, written);
    }
  }

  private void traceOne(String operation, long offset, int size, long value) {
    node.kernel().tracer().emit(
        TraceEvent.Kind.IO, 0, node.owner(), offset, offset + size,
        "%s of %s at 0x%x, %d bytes: 0x%x".formatted(operation, region, offset, size, value));
  }
}
