// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.SwapDevice;
import io.faultline.kernel.SwapInfo;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** The swap devices in use, by their type and in the order in which they get pages. Thread-safe. */
public final class SwapDevices {
  private static final long CALL_LIMIT_NANOS = 30_000_000_000L;

  private final PhysicalMemory memory;
  private final SwapCalls calls = new SwapCalls(CALL_LIMIT_NANOS);
  /** By type. Written with this held. */
  private final AtomicReferenceArray<@Nullable SwapArea> areas =
      new AtomicReferenceArray<>(SwapEntry.MAX_TYPES);
  /** By priority, then in turns. Replaced whole, with this held. */
  private volatile List<SwapArea> inOrder = List.of();

  SwapDevices(PhysicalMemory memory) {
    this.memory = memory;
  }

  // ---- coming and going -------------------------------------------------------------------------

  /**
   * Begins to use a device.
   *
   * @throws ErrnoException EBUSY, EINVAL, EIO as {@link io.faultline.kernel.Swaps#swapon} says; EPERM
   *     when there are too many
   */
  public synchronized SwapArea activate(SwapDevice device, int priority) throws ErrnoException {
    for (SwapArea area : inOrder) {
      if (area.isGone() && area.used() == 0) {
        deactivate(area);
      }
    }
    String name;
    long slots;
    try {
      String[] answer = new String[1];
      calls.run(() -> answer[0] = device.name());
      name = answer[0];
    } catch (IOException e) {
      throw failed("device", e);
    }
    if (name == null || name.isBlank() || name.chars().anyMatch(Character::isWhitespace)) {
      throw new ErrnoException(
          Errno.EINVAL, "device: its name '" + name + "' is empty or has blanks");
    }
    if (find(name) != null) {
      throw new ErrnoException(Errno.EBUSY, "device: " + name + " is in use already");
    }
    int type = 0;
    while (type < areas.length() && areas.get(type) != null) {
      type++;
    }
    if (type == areas.length()) {
      throw new ErrnoException(
          Errno.EPERM, "device: " + areas.length() + " are in use, which is the limit");
    }
    try {
      long[] answer = new long[1];
      calls.runUnlimited(
          () -> {
            device.swapon();
            answer[0] = device.slots();
          });
      slots = answer[0];
    } catch (IOException e) {
      throw failed(name, e);
    }
    if (slots <= 0 || slots > SwapEntry.MAX_SLOTS) {
      deactivateQuietly(device);
      throw new ErrnoException(
          Errno.EINVAL,
          "device: " + name + " has " + slots + " slots; 1 to " + SwapEntry.MAX_SLOTS
              + " are possible");
    }
    SwapArea area = new SwapArea(type, device, name, (int) slots, priority, memory, calls);
    areas.set(type, area);
    List<SwapArea> more = new ArrayList<>(inOrder);
    more.add(area);
    more.sort(Comparator.comparingInt(SwapArea::priority).reversed());
    inOrder = List.copyOf(more);
    return area;
  }

  private static ErrnoException failed(String name, IOException e) {
    return new ErrnoException(Errno.EIO, name + " cannot be used: " + e.getMessage());
  }

  private void deactivateQuietly(SwapDevice device) {
    try {
      calls.runUnlimited(device::swapoff);
    } catch (IOException e) {
      // It is not wanted any more.
    }
  }

  /**
   * Lets go of a device whose slots are free.
   *
   * @throws IllegalStateException when some are in use
   */
  public synchronized void deactivate(SwapArea area) {
    if (area.used() != 0) {
      throw new IllegalStateException(area.name() + " has " + area.used() + " slots in use");
    }
    areas.set(area.type(), null);
    List<SwapArea> fewer = new ArrayList<>(inOrder);
    fewer.remove(area);
    inOrder = List.copyOf(fewer);
    deactivateQuietly(area.device());
  }

  /**
   * A device's driver is gone before its pages were moved home: those that are still out there cannot
   * be read any more, and the device is given none.
   */
  public void revoke(SwapArea area) {
    SwapDevice device = area.device();
    area.revoke();
    deactivateQuietly(device);
  }

  // ---- which there are --------------------------------------------------------------------------

  /** The devices in the order in which they get pages. */
  List<SwapArea> inOrder() {
    return inOrder;
  }

  /** The device of an entry; null when it is in use no more. */
  @Nullable SwapArea find(long entry) {
    return areas.get(SwapEntry.type(entry));
  }

  /**
   * The device of an entry.
   *
   * @throws IllegalStateException when it is in use no more
   */
  SwapArea area(long entry) {
    SwapArea area = find(entry);
    if (area == null) {
      throw new IllegalStateException(
          "swap entry 0x" + Long.toHexString(entry) + " is of a device that is not in use");
    }
    return area;
  }

  /** The name of the device of an entry, for messages. */
  public String nameOf(long entry) {
    SwapArea area = find(entry);
    return area == null ? "none" : area.name();
  }

  /** Why the device of an entry failed last, for messages. */
  public String lastFailure(long entry) {
    SwapArea area = find(entry);
    String failure = area == null ? null : area.lastFailure();
    return area == null ? "its swap device is gone"
        : area.name() + ": " + (failure == null ? "no failure is known" : failure);
  }

  /** The device of a name, or null; one whose driver is gone has none. */
  public @Nullable SwapArea find(String name) {
    for (SwapArea area : inOrder) {
      if (area.name().equals(name) && !area.isGone()) {
        return area;
      }
    }
    return null;
  }

  /** The device that an object is in use as, or null. */
  public @Nullable SwapArea find(SwapDevice device) {
    for (SwapArea area : inOrder) {
      if (area.device() == device) {
        return area;
      }
    }
    return null;
  }

  /** From now on the device gets pages, or gets no more. */
  public void setWritable(SwapArea area, boolean writable) {
    area.setWritable(writable);
  }

  /** Slots of a device that are in use. */
  public long used(SwapArea area) {
    return area.used();
  }

  /** Whether the device may get pages: false while it is being switched off. */
  public boolean isWritable(SwapArea area) {
    return area.isWritable();
  }

  /** A snapshot, in the order of use; those whose driver is gone only as long as pages are missed. */
  public List<SwapInfo> list() {
    return inOrder.stream().filter(area -> !area.isGone() || area.used() > 0).map(SwapArea::info)
        .toList();
  }

  /** Slots of all devices. */
  public long totalSlots() {
    long sum = 0;
    for (SwapArea area : inOrder) {
      sum += area.slots();
    }
    return sum;
  }

  /** Slots of all devices that are in use. */
  public long usedSlots() {
    long sum = 0;
    for (SwapArea area : inOrder) {
      sum += area.used();
    }
    return sum;
  }

  /** Slots of all devices that pages could go to. */
  public long freeSlots() {
    long sum = 0;
    for (SwapArea area : inOrder) {
      sum += area.free();
    }
    return sum;
  }

  /** Whether some device would take a page now. */
  public boolean hasRoom() {
    for (SwapArea area : inOrder) {
      if (area.admits()) {
        return true;
      }
    }
    return false;
  }

  /** Interrupts calls into devices that last too long; to be run periodically. */
  public void interruptLate() {
    calls.interruptLate();
  }

  // ---- who gets pages ---------------------------------------------------------------------------

  /**
   * Why pages cannot go to swap though there are free slots: the devices that have failed just now.
   *
   * @return null when no device is to blame
   */
  public @Nullable String refusal() {
    for (SwapArea area : inOrder) {
      if (area.free() > 0 && !area.admits()) {
        return area.name() + ": " + area.lastFailure();
      }
    }
    return null;
  }

  /**
   * Locks a device for a batch: the first device in order that nobody writes to and that admits
   * pages, or else waits for the first one that admits any, so that a slow device delays nobody but
   * those who have no other.
   *
   * @return null when no device admits pages
   */
  @Nullable SwapArea lockForWriting() {
    SwapArea wait = null;
    for (SwapArea area : inOrder) {
      if (area.admits()) {
        if (area.writing().tryLock()) {
          requeue(area);
          return area;
        }
        wait = wait == null ? area : wait;
      }
    }
    if (wait == null) {
      return null;
    }
    wait.writing().lock();
    return wait;
  }

  /** Devices of the same priority take turns ({@code plist_requeue}). */
  private void requeue(SwapArea area) {
    List<SwapArea> now = inOrder;
    int last = now.size() - 1;
    while (last > 0 && now.get(last).priority() != area.priority()) {
      last--;
    }
    if (now.get(last) == area) {
      return;
    }
    synchronized (this) {
      List<SwapArea> turned = new ArrayList<>(inOrder);
      if (!turned.remove(area)) {
        return;
      }
      int behind = turned.size();
      while (behind > 0 && turned.get(behind - 1).priority() < area.priority()) {
        behind--;
      }
      turned.add(behind, area);
      inOrder = List.copyOf(turned);
    }
  }
}
