// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A handle for a frame of one generation: when the frame is freed and handed out again, an old handle
 * notices.
 *
 * <p>With an owner, it counts the references that are the owner's, so that these and no others can be
 * taken back from an owner that is gone. Lent to a driver for one callback, it counts what the driver
 * takes, so that no more can be dropped. Otherwise it is the kernel's and counts none.
 */
final class FramePage implements Page {
  private static final VarHandle OWNED;

  static {
    try {
      OWNED = MethodHandles.lookup().findVarHandle(FramePage.class, "owned", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final PhysicalMemory memory;
  final long frame;
  private final int generation;
  private final @Nullable DriverPages owner;
  private final boolean kernels;
  private volatile int owned;
  private volatile boolean handedOver;

  private FramePage(
      PhysicalMemory memory, long frame, @Nullable DriverPages owner, boolean kernels, int owned) {
    this.memory = memory;
    this.frame = frame;
    this.generation = memory.generation(frame);
    this.owner = owner;
    this.kernels = kernels;
    this.owned = owned;
  }

  /** A page that its owner holds one reference on. */
  static FramePage owned(PhysicalMemory memory, long frame, DriverPages owner) {
    return new FramePage(memory, frame, owner, false, 1);
  }

  /** The kernel's own handle. */
  static FramePage ofKernel(PhysicalMemory memory, long frame) {
    return new FramePage(memory, frame, null, true, 0);
  }

  /** A handle for a callback, on a page that the callback may look at. */
  static FramePage lent(PhysicalMemory memory, long frame) {
    return new FramePage(memory, frame, null, false, 0);
  }

  /**
   * A further handle, with a reference of another owner's.
   *
   * @throws IllegalStateException when the last reference to the page is gone
   */
  FramePage sharedWith(DriverPages other) {
    if (!memory.tryGet(frame, generation)) {
      throw gone();
    }
    return owned(memory, frame, other);
  }

  boolean isLive() {
    return memory.references(frame) != 0 && memory.generation(frame) == generation;
  }

  @Override
  public long frameNumber() {
    return frame;
  }

  @Override
  public MemorySegment segment() {
    checkLive();
    return memory.segment(frame);
  }

  @Override
  public int referenceCount() {
    return isLive() ? memory.references(frame) : 0;
  }

  @Override
  public Page get() {
    if (handedOver) {
      throw new IllegalStateException(
          "frame " + frame + ": was handed over to the next version of the driver");
    }
    if (!memory.tryGet(frame, generation)) {
      throw gone();
    }
    if (!kernels && (int) OWNED.getAndAdd(this, 1) == 0 && owner != null) {
      owner.holds(this);
    }
    return this;
  }

  @Override
  public void put() {
    if (!giveAway()) {
      if (handedOver) {
        return;
      }
      throw isLive() ? notYours() : gone();
    }
    memory.put(frame);
  }

  /** Takes one reference from the owner's account, without dropping it. */
  boolean giveAway() {
    if (kernels) {
      return isLive();
    }
    while (true) {
      int before = owned;
      if (before == 0) {
        return false;
      }
      if (OWNED.compareAndSet(this, before, before - 1)) {
        if (before == 1 && owner != null) {
          owner.holdsNoMore(this);
        }
        return true;
      }
    }
  }

  /** Drops all that the owner holds. */
  boolean takeBack() {
    boolean any = false;
    while (giveAway()) {
      memory.put(frame);
      any = true;
    }
    return any;
  }

  /** Drops all that the owner holds, for another has the page from now on; puts do nothing then. */
  void handOver() {
    handedOver = true;
    boolean unused = takeBack();
  }

  @Nullable DriverPages owner() {
    return owner;
  }

  /** Whether the page is of that account, and still held. */
  boolean isHeldBy(DriverPages account) {
    return owner == account && isHeld();
  }

  boolean isHeld() {
    return owned != 0;
  }

  private void checkLive() {
    if (!isLive()) {
      throw gone();
    }
  }

  private IllegalStateException notYours() {
    return new IllegalStateException(
        "frame " + frame
            + ": all references that are yours are dropped; put a page once for each get");
  }

  private IllegalStateException gone() {
    return new IllegalStateException(
        "frame " + frame + ": the last reference to this page is gone; allocate another page");
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof FramePage p && p.memory == memory && p.frame == frame
        && p.generation == generation;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(frame) * 31 + generation;
  }

  @Override
  public String toString() {
    return "frame " + frame + (isLive() ? ", " + referenceCount() + " references" : ", freed");
  }
}
