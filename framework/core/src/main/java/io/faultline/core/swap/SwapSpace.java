// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.core.jfr.SwapOutEvent;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.Workingset;
import io.faultline.device.SwapDevice;
import io.faultline.kernel.SwapInfo;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * All swap devices in use, the claims on their slots, and the swap cache. Thread-safe.
 *
 * <p>A page-table entry that names a slot is a claim: {@link #duplicate} makes one, {@link #free}
 * drops one. Where a claim is exchanged for a page, the frame's lock is held.
 */
public final class SwapSpace {
  private static final long CALL_LIMIT_NANOS = 30_000_000_000L;

  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final Workingset workingset;
  private final SwapCalls calls;
  /** By type. Written with this held. */
  private final AtomicReferenceArray<@Nullable SwapArea> areas =
      new AtomicReferenceArray<>(SwapEntry.MAX_TYPES);
  /** By priority, then in turns. Replaced whole, with this held. */
  private volatile List<SwapArea> inOrder = List.of();

  /**
   * @param memory whose frames are swapped
   */
  public SwapSpace(PhysicalMemory memory) {
    this(memory, CALL_LIMIT_NANOS);
  }

  SwapSpace(PhysicalMemory memory, long callLimitNanos) {
    this.memory = memory;
    this.frames = memory.table();
    this.workingset = memory.workingset();
    this.calls = new SwapCalls(callLimitNanos);
  }

  // ---- devices ----------------------------------------------------------------------------------

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

  private SwapArea area(long entry) {
    SwapArea area = areas.get(SwapEntry.type(entry));
    if (area == null) {
      throw new IllegalStateException(
          "swap entry 0x" + Long.toHexString(entry) + " is of a device that is not in use");
    }
    return area;
  }

  /** The name of the device of an entry, for messages. */
  public String nameOf(long entry) {
    SwapArea area = areas.get(SwapEntry.type(entry));
    return area == null ? "none" : area.name();
  }

  // ---- claims -----------------------------------------------------------------------------------

  /** One more entry names the slot ({@code swap_duplicate}). */
  public void duplicate(long entry) {
    area(entry).duplicate(SwapEntry.offset(entry));
  }

  /** One entry less names the slot; the last one frees it ({@code free_swap_and_cache}). */
  public void free(long entry) {
    SwapArea area = area(entry);
    if (area.release(SwapEntry.offset(entry)) > 0) {
      return;
    }
    long frame = acquire(entry);
    if (frame == PhysicalMemory.NONE) {
      return;
    }
    // Who has it locked looks at the claims when he is done.
    if (frames.tryLock(frame)) {
      unlock(frame);
    }
    memory.put(frame);
  }

  /** Whether the driver of an entry's device is gone, and with it what the slot held. */
  public boolean isLost(long entry) {
    SwapArea area = areas.get(SwapEntry.type(entry));
    return area != null && area.isGone();
  }

  /** How many entries name the slot. */
  public int count(long entry) {
    SwapArea area = areas.get(SwapEntry.type(entry));
    return area == null ? 0 : area.count(SwapEntry.offset(entry));
  }

  // ---- the swap cache ---------------------------------------------------------------------------

  /**
   * The frame that stands for a slot, with a reference that the caller drops ({@code
   * swap_cache_get_folio}).
   *
   * @return {@link PhysicalMemory#NONE} when there is none, or the device is not in use any more
   */
  public long acquire(long entry) {
    SwapArea area = areas.get(SwapEntry.type(entry));
    return area == null
        ? PhysicalMemory.NONE
        : area.cache().acquire(SwapEntry.offset(entry));
  }

  /** Whether a page in memory stands for the slot. */
  public boolean isCached(long entry) {
    SwapArea area = areas.get(SwapEntry.type(entry));
    return area != null
        && area.cache().get(SwapEntry.offset(entry)) != PhysicalMemory.NONE;
  }

  /** Lets a frame stand for a slot that {@link Writer#take} has just taken; the frame is locked. */
  private void addTaken(long entry, long frame) {
    frames.setSwapEntry(frame, entry);
    long unused = area(entry).cache().add(SwapEntry.offset(entry), frame);
    frames.set(frame, FrameTable.SWAP_CACHED | FrameTable.DIRTY);
  }

  /**
   * Lets a new, locked frame stand for a slot in use, before it is read in.
   *
   * @return false when another does already, or nobody names the slot any more
   */
  public boolean addForReading(long entry, long frame) {
    SwapArea area = areas.get(SwapEntry.type(entry));
    if (area == null || !area.markCached(SwapEntry.offset(entry))) {
      return false;
    }
    frames.setSwapEntry(frame, entry);
    frames.set(frame, FrameTable.SWAP_CACHED);
    long unused = area.cache().add(SwapEntry.offset(entry), frame);
    return true;
  }

  /** The frame stands for its slot no more; it is locked. Drops the cache's reference. */
  public void remove(long frame) {
    long entry = frames.swapEntry(frame);
    SwapArea area = area(entry);
    frames.clear(frame, FrameTable.SWAP_CACHED | FrameTable.DIRTY);
    boolean was = area.cache().remove(SwapEntry.offset(entry));
    area.clearCached(SwapEntry.offset(entry));
    if (!was) {
      throw new IllegalStateException("frame " + frame + " was not in the swap cache");
    }
  }

  /** The frame leaves memory for its slot: notes the time ({@code workingset_eviction}). */
  public void noteEviction(long entry) {
    area(entry).setShadow(SwapEntry.offset(entry), workingset.evicted());
  }

  /** Whether the page of a slot left only just. */
  public boolean isRefault(long entry) {
    return workingset.isRefault(area(entry).shadow(SwapEntry.offset(entry)));
  }

  /**
   * Unlocks a frame; one that stands in the swap cache, but whose slot nobody names any more, leaves
   * it first. The caller holds a reference of its own.
   */
  public void unlock(long frame) {
    do {
      if (isOrphan(frame)) {
        remove(frame);
      }
      frames.unlock(frame);
      // The last claim may have been dropped just before the lock was.
    } while (isOrphan(frame) && frames.tryLock(frame));
  }

  private boolean isOrphan(long frame) {
    if (!frames.has(frame, FrameTable.SWAP_CACHED)) {
      return false;
    }
    SwapArea area = areas.get(SwapEntry.type(frames.swapEntry(frame)));
    return area != null && area.count(SwapEntry.offset(frames.swapEntry(frame))) == 0
        && frames.has(frame, FrameTable.SWAP_CACHED);
  }

  // ---- reading and writing ----------------------------------------------------------------------

  /**
   * Slots round one that have a page out there and none here, in ascending order, the given one among
   * them: what lies together left together, and may be wanted together ({@code swap_vma_readahead}).
   *
   * @param window how many at most, a power of two
   */
  public long[] cluster(long entry, int window) {
    SwapArea area = area(entry);
    long offset = SwapEntry.offset(entry);
    long first = offset & -window;
    long[] found = new long[window];
    int count = 0;
    for (long slot = first; slot < Math.min(first + window, area.slots()); slot++) {
      if (slot == offset || area.isOnlyThere(slot)) {
        found[count++] = SwapEntry.of(area.type(), slot);
      }
    }
    return Arrays.copyOf(found, count);
  }

  /**
   * Reads slots of one device into frames that are locked.
   *
   * @param entries ascending
   * @throws IOException when that failed, with the device's name
   */
  public void read(long[] entries, long[] into) throws IOException {
    SwapArea area = area(entries[0]);
    long[] slots = new long[entries.length];
    MemorySegment[] pages = new MemorySegment[entries.length];
    for (int i = 0; i < entries.length; i++) {
      slots[i] = SwapEntry.offset(entries[i]);
      pages[i] = memory.segment(into[i]);
    }
    try {
      area.read(slots, pages);
    } catch (IOException e) {
      throw new IOException(
          area.name() + " could not read slot " + SwapEntry.offset(entries[0]) + ": "
              + e.getMessage(),
          e);
    }
  }

  /** Why the device of an entry failed last, for messages. */
  public String lastFailure(long entry) {
    SwapArea area = areas.get(SwapEntry.type(entry));
    String failure = area == null ? null : area.lastFailure();
    return area == null ? "its swap device is gone"
        : area.name() + ": " + (failure == null ? "no failure is known" : failure);
  }

  /**
   * Begins to write a batch: takes the first device in order that nobody writes to and that admits
   * pages, or else waits for the first one that admits any, so that a slow device delays nobody but
   * those who have no other.
   *
   * @return null when no device admits pages
   */
  public @Nullable Writer writer() {
    SwapArea wait = null;
    for (SwapArea area : inOrder) {
      if (area.admits()) {
        if (area.writing().tryLock()) {
          requeue(area);
          return new Writer(area);
        }
        wait = wait == null ? area : wait;
      }
    }
    if (wait == null) {
      return null;
    }
    wait.writing().lock();
    return new Writer(wait);
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

  /** Writes pages to one device; confined to one thread. Closing it lets others write. */
  public final class Writer implements AutoCloseable {
    private final SwapArea area;

    private Writer(SwapArea area) {
      this.area = area;
    }

    /**
     * Takes a slot and lets the frame, which is locked, stand for it.
     *
     * @return {@link SwapEntry#NONE} when the device is full or being switched off
     */
    public long take(long frame) {
      long entry = area.take();
      if (entry != SwapEntry.NONE) {
        addTaken(entry, frame);
      }
      return entry;
    }

    /** Whether an entry is of this device. */
    public boolean isHere(long entry) {
      return SwapEntry.type(entry) == area.type();
    }

    /**
     * Writes frames to the slots that they stand for.
     *
     * @param count how many of the frames count; all are locked
     * @throws IOException when not all were kept
     */
    public void write(long[] dirty, int count) throws IOException {
      Long[] order = new Long[count];
      for (int i = 0; i < count; i++) {
        order[i] = dirty[i];
      }
      Arrays.sort(order, Comparator.comparingLong(frames::swapEntry));
      long[] slots = new long[count];
      MemorySegment[] pages = new MemorySegment[count];
      for (int i = 0; i < count; i++) {
        slots[i] = SwapEntry.offset(frames.swapEntry(order[i]));
        pages[i] = memory.segment(order[i]).asReadOnly();
      }
      SwapOutEvent event = SwapOutEvent.start();
      String failure = null;
      try {
        area.write(slots, pages);
      } catch (IOException e) {
        failure = String.valueOf(e.getMessage());
        throw e;
      } finally {
        if (event != null) {
          event.finish(area.name(), slots[0], count, failure);
        }
      }
    }

    @Override
    public void close() {
      area.writing().unlock();
    }
  }

  // ---- for swapoff and checks -------------------------------------------------------------------

  /**
   * A device's driver is gone before its pages were moved home: those that are still out there cannot
   * be read any more, and the device is given none.
   */
  public void revoke(SwapArea area) {
    SwapDevice device = area.device();
    area.revoke();
    deactivateQuietly(device);
  }

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

  /** Pages of a device that stand in the cache, but that nobody names, leave it. */
  public void dropOrphans(SwapArea area) {
    area.cache().forEach(
        (offset, frame) -> {
          long held = area.cache().acquire(offset);
          if (held != PhysicalMemory.NONE) {
            if (frames.tryLock(held)) {
              unlock(held);
            }
            memory.put(held);
          }
        });
  }

  /**
   * Checks that slots, claims and cache agree.
   *
   * @throws IllegalStateException naming what is wrong
   */
  public void validate() {
    for (SwapArea area : inOrder) {
      area.validate();
      area.cache().forEach(
          (offset, frame) -> {
            boolean known = frames.has(frame, FrameTable.SWAP_CACHED)
                && frames.swapEntry(frame) == SwapEntry.of(area.type(), offset);
            if (!known) {
              throw new IllegalStateException(
                  area.name() + ": frame " + frame + " stands for slot " + offset
                      + ", but does not know it");
            }
          });
    }
  }
}
