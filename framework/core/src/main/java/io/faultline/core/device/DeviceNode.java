// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.jfr.DriverFailureEvent;
import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.Inode;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.DeviceInfo;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmOperations;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * One node of a driver, {@code /dev/NAME}, or all files of one file system that share a provider: its
 * open files, its counters, and the one place through which calls into its driver go. Thread-safe.
 */
final class DeviceNode {
  private static final int MAY_READ = 4;
  private static final int MAY_WRITE = 2;

  private static final int LOGGED_ONE_BY_ONE = 10;

  private final Kernel kernel;
  private final Driver driver;
  private final String owner;
  private final int index;
  private final @Nullable Inode inode;

  private final Set<OpenFileObject> files = ConcurrentHashMap.newKeySet();
  private final LongAdder areas = new LongAdder();
  private final LongAdder calls = new LongAdder();
  private final LongAdder faults = new LongAdder();
  private final AtomicLong errors = new AtomicLong();
  private final LongAdder timedCalls = new LongAdder();
  private final LongAdder timedNanos = new LongAdder();
  private final AtomicLong longestNanos = new AtomicLong();
  private volatile @Nullable String lastError;
  private final GuardedOperations goneOperations;

  // Guarded by this object's monitor. A guard lives as long as an area has it.
  private final Map<Identity, Interned> guards = new HashMap<>();
  private final ReferenceQueue<GuardedOperations> dropped = new ReferenceQueue<>();

  private record Identity(VmOperations operations) {
    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof Identity i && i.operations == operations;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(operations);
    }
  }

  private static final class Interned extends WeakReference<GuardedOperations> {
    final Identity key;

    Interned(Identity key, GuardedOperations guard, ReferenceQueue<GuardedOperations> queue) {
      super(guard, queue);
      this.key = key;
    }
  }

  /**
   * @param owner the path, or the file system's name
   * @param index which of the driver's nodes
   * @param inode null for a file system
   */
  DeviceNode(Kernel kernel, Driver driver, String owner, int index, @Nullable Inode inode) {
    this.kernel = kernel;
    this.driver = driver;
    this.owner = owner;
    this.index = index;
    this.inode = inode;
    this.goneOperations = GuardedOperations.gone(this);
  }

  Kernel kernel() {
    return kernel;
  }

  /**
   * Whether somebody may open the node ({@code inode_permission}). It is root's, who needs no
   * permission; no process here is in root's group.
   *
   * @throws ErrnoException EACCES if not
   */
  void checkPermission(AccessMode mode, Credentials who) throws ErrnoException {
    int bits = driver.registration().mode();
    int wanted = (mode.canRead() ? MAY_READ : 0) | (mode.canWrite() ? MAY_WRITE : 0);
    if (who.uid() != 0 && (bits & wanted) != wanted) {
      throw new ErrnoException(
          Errno.EACCES, "path: %s has mode 0%o, which does not let user %d open it as %s".formatted(
              owner, bits, who.uid(), mode));
    }
  }

  Driver driver() {
    return driver;
  }

  String owner() {
    return owner;
  }

  int index() {
    return index;
  }

  @Nullable Inode inode() {
    return inode;
  }

  DeviceNumber number() {
    Inode i = inode;
    return i == null ? DeviceNumber.NONE : i.represents();
  }

  Set<OpenFileObject> files() {
    return files;
  }

  void areaAdded() {
    areas.increment();
  }

  void areaRemoved() {
    areas.decrement();
  }

  /** Whether an area shows a file of it. */
  boolean isMapped() {
    return areas.sum() > 0;
  }

  void countCall() {
    calls.increment();
  }

  void countFault() {
    faults.increment();
  }

  void timed(long nanos) {
    timedCalls.increment();
    timedNanos.add(nanos);
    if (nanos > longestNanos.get()) {
      longestNanos.accumulateAndGet(nanos, Math::max);
    }
  }

  CallTimes times() {
    long timed = timedCalls.sum();
    return new CallTimes(
        calls.sum() + faults.sum(), timed == 0 ? 0 : timedNanos.sum() / timed, longestNanos.get());
  }

  DeviceInfo info() {
    return new DeviceInfo(
        owner, number(), driver.registration().driver(), driver.registration().version(),
        driver.isPresent(), files.size(), (int) areas.sum(), faults.sum(), errors.get(), lastError,
        kernel.pagesHeld().applyAsLong(driver.registration()), driver.state(),
        driver.generation(), kernel.watchdog().inFlight(driver), driver.registration().unplug());
  }

  /** The guard of a driver's operations: the same one for the same object as long as it is in use. */
  GuardedOperations guard(VmOperations operations) {
    Overrides overrides = Overrides.of(operations);
    Identity key = new Identity(operations);
    synchronized (this) {
      while (dropped.poll() instanceof Interned gone) {
        guards.remove(gone.key, gone);
      }
      Interned known = guards.get(key);
      GuardedOperations guard = known == null ? null : known.get();
      if (guard == null) {
        guard = new GuardedOperations(this, operations, overrides);
        if (driver.isGone()) {
          guard.revoke();
        } else {
          guards.put(key, new Interned(key, guard, dropped));
        }
      }
      return guard;
    }
  }

  /** The counters of the node that this one takes the place of go on. */
  void continueFrom(DeviceNode before) {
    calls.add(before.calls.sum());
    faults.add(before.faults.sum());
    errors.addAndGet(before.errors.get());
    lastError = before.lastError;
  }

  /** A file with its areas is this node's from now on. No memory call is under way. */
  void takeOver(OpenFileObject file) {
    DeviceNode before = file.node();
    before.files.remove(file);
    files.add(file);
    int moved = file.areas();
    before.areas.add(-moved);
    areas.add(moved);
    file.moveTo(this);
  }

  /** One object for all areas of this node: they are as alike as areas of a live driver. */
  GuardedOperations goneOperations() {
    return goneOperations;
  }

  /** Empties every lease; the driver is gone. */
  void revoke() {
    synchronized (this) {
      for (Interned interned : guards.values()) {
        GuardedOperations guard = interned.get();
        if (guard != null) {
          guard.revoke();
        }
      }
      guards.clear();
    }
    for (OpenFileObject file : files) {
      file.driverGone();
    }
  }

  /**
   * Calls the driver.
   *
   * @param lease what to call
   * @param operation its name, for messages
   * @param whileLeaving whether a driver that is being unregistered is called
   * @param whenGone the error when it is not
   * @throws ErrnoException {@code whenGone}; what the driver throws of that kind; ENOMEM when it runs
   *     out of memory; ETIMEDOUT when it outlasts its limit; EIO for all else that it throws
   */
  <T, R extends @Nullable Object> R call(
      Lease<T> lease, String operation, boolean whileLeaving, Errno whenGone,
      DriverCall<T, R> body)
      throws ErrnoException {
    return call(lease, operation, whileLeaving, whenGone, false, body);
  }

  /**
   * As {@link #call}, for {@code file_operations}: during an exchange of drivers nothing is called.
   *
   * @throws ExchangeException then; to be tried again when it is over
   */
  <T, R extends @Nullable Object> R callFile(
      Lease<T> lease, String operation, boolean whileLeaving, Errno whenGone,
      DriverCall<T, R> body)
      throws ErrnoException {
    return call(lease, operation, whileLeaving, whenGone, true, body);
  }

  /**
   * As {@link #call}, {@linkplain Aside aside}: the caller goes on whatever the driver does.
   *
   * @throws ErrnoException ETIMEDOUT also when the call has not ended at all
   */
  <T, R extends @Nullable Object> R callAside(
      Lease<T> lease, String operation, boolean whileLeaving, Errno whenGone, boolean mayWait,
      DriverCall<T, R> body)
      throws ErrnoException {
    return kernel.watchdog().aside().run(
        kernel.watchdog().slot(),
        slot -> {
          driver.lostCall();
          return new ErrnoException(Errno.ETIMEDOUT, lateText(slot, operation));
        },
        () -> callHere(lease, operation, whileLeaving, whenGone, mayWait, body));
  }

  private <T, R extends @Nullable Object> R call(
      Lease<T> lease, String operation, boolean whileLeaving, Errno whenGone, boolean mayWait,
      DriverCall<T, R> body)
      throws ErrnoException {
    // What is half changed must be completed or undone.
    return kernel.watchdog().heldLocks().isWriting()
        ? callAside(lease, operation, whileLeaving, whenGone, mayWait, body)
        : callHere(lease, operation, whileLeaving, whenGone, mayWait, body);
  }

  /** As {@link #call}, on this thread whatever it holds. */
  <T, R extends @Nullable Object> R callHere(
      Lease<T> lease, String operation, boolean whileLeaving, Errno whenGone, boolean mayWait,
      DriverCall<T, R> body)
      throws ErrnoException {
    CallSlot slot = kernel.watchdog().slot();
    // What a driver asks of itself belongs to the call that is waited for.
    boolean nested = mayWait && slot.inside(driver);
    CallFrame frame = slot.enter(this, operation, kernel.tracer().enabled());
    if (frame == null) {
      throw new ErrnoException(Errno.EIO, tooDeep(slot, operation));
    }
    boolean wait = false;
    R result = null;
    ErrnoException refused = null;
    String thrown = null;
    String trace = null;
    Errno errno = Errno.EIO;
    boolean called = false;
    boolean late;
    try {
      wait = mayWait && !nested && driver.isExchanging();
      T target = !wait && driver.admits(whileLeaving || nested) ? lease.orNull() : null;
      if (target != null) {
        calls.increment();
        called = true;
        result = body.on(target);
      }
    } catch (ErrnoException e) {
      refused = e;
    } catch (OutOfMemoryError e) {
      thrown = "java.lang.OutOfMemoryError";
      errno = Errno.ENOMEM;
    } catch (Throwable t) {
      thrown = Failures.line(t);
      trace = Failures.trace(t);
      keepInterrupt(t);
    } finally {
      late = slot.exit(frame, this);
    }
    if (wait) {
      throw ExchangeException.INSTANCE;
    }
    if (late) {
      throw new ErrnoException(Errno.ETIMEDOUT, lateText(slot, operation));
    }
    if (refused != null) {
      slot.refused(owner + ": " + operation + ": " + refused.getMessage());
      throw refused;
    }
    if (thrown != null) {
      throw new ErrnoException(errno, failed(slot, operation, thrown, trace));
    }
    if (!called) {
      throw new ErrnoException(whenGone, gone(slot, operation));
    }
    return answered(result);
  }

  /** Null only where the driver's method may answer null: R says so then. */
  @SuppressWarnings("NullAway")
  private static <R extends @Nullable Object> R answered(@Nullable R result) {
    return result;
  }

  /** An interrupt that was not the watchdog's is the caller's: the driver must not swallow it. */
  static void keepInterrupt(Throwable thrown) {
    if (thrown instanceof InterruptedException) {
      Thread.currentThread().interrupt();
    }
  }

  /** The driver is gone; nothing is counted. */
  String gone(CallSlot slot, String operation) {
    String text = owner + ": " + operation + ": the driver " + driver.name()
        + (driver.state() == DeviceInfo.State.QUARANTINED
            ? " is quarantined; driver restore " + owner + " brings it back. Last error: "
                + lastError
            : " is gone");
    slot.absent(text);
    return text;
  }

  /** The watchdog has ended the call, and counted it. */
  String lateText(CallSlot slot, String operation) {
    String text = owner + ": " + operation + " of driver " + driver.name() + " took longer than "
        + driver.registration().timeoutMillis() + " ms";
    slot.refused(text);
    return text;
  }

  String tooDeep(CallSlot slot, String operation) {
    return failed(
        slot, operation, "calls into drivers are nested deeper than " + CallSlot.MAX_DEPTH, null);
  }

  /** The driver's own fault: counts it, logs it, remembers it; returns the text. */
  String failed(CallSlot slot, String operation, String why, @Nullable String trace) {
    String text = owner + ": " + operation + " of driver " + driver.name() + " failed: " + why;
    slot.refused(text);
    logError(count(text), text, trace);
    return text;
  }

  /** What the watchdog says of a call that has outlasted its limit. */
  String hangText(String operation) {
    return owner + ": " + operation + " of driver " + driver.name() + " took longer than "
        + driver.registration().timeoutMillis() + " ms and was interrupted";
  }

  /** Counts an error; returns its number. */
  long count(String text) {
    lastError = text;
    DriverFailureEvent.emit(owner, driver.name(), text);
    long number = errors.incrementAndGet();
    if (driver.countError(kernel.limits().errorBudget())) {
      kernel.log().problem(
          "driver " + driver.name() + " has failed more than " + kernel.limits().errorBudget()
              + " times and is quarantined; driver restore " + owner + " brings it back",
          null);
      kernel.limits().quarantined(driver);
    }
    return number;
  }

  /**
   * A call reacted to no interrupt and was given up.
   *
   * @param thread the name of its thread
   * @param quarantined whether that put the driver in quarantine
   */
  void abandoned(String operation, String thread, String trace, boolean quarantined) {
    kernel.log().problem(
        owner + ": " + operation + " of driver " + driver.name() + " reacts to no interrupt and is"
            + " given up; thread " + thread + " is lost until it returns"
            + (quarantined
                ? ". The driver is quarantined; driver upgrade puts another version in its place, "
                    + "driver restore " + owner + " brings it back"
                : ""),
        trace);
    if (quarantined) {
      kernel.limits().quarantined(driver);
    }
  }

  void logError(long number, String text, @Nullable String trace) {
    // A driver that fails at every fault must not fill the disk.
    if (number <= LOGGED_ONE_BY_ONE) {
      kernel.log().problem(text, trace);
    } else if (Long.bitCount(number) == 1) {
      kernel.log().problem(text + " (error number " + number + " of this device)", trace);
    }
  }

  @Override
  public String toString() {
    return owner;
  }
}
