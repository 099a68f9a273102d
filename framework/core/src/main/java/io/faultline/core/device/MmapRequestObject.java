// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.AreaOperations;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.MmapRequest;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What {@code mmap(2)} asks of a driver, and its answers. {@code core.mm} makes it, {@link
 * OpenFileObject#mmap} shows it to the driver, {@code core.mm} reads it. Frames that the driver maps
 * are checked at once and recorded; they are installed once the area exists.
 *
 * <p>The driver uses it during its call, on the thread that makes that; a call that was given up finds
 * it closed. Before and afterwards it is confined to the thread that makes the system call.
 */
public final class MmapRequestObject implements MmapRequest {
  private static final long SHARED_BITS = VmFlag.SHARED.mask() | VmFlag.MAYSHARE.mask();
  private static final long PFN_BITS = VmFlags.of(
      VmFlag.IO, VmFlag.PFNMAP, VmFlag.DONTEXPAND, VmFlag.DONTDUMP).bits();

  /** Says whether a new object of shared memory of that size may be made. */
  @FunctionalInterface
  public interface SharedMemoryCheck {
    /**
     * @throws ErrnoException ENOMEM
     */
    void check(long bytes) throws ErrnoException;
  }

  /**
   * Frames to be installed.
   *
   * @param address first byte
   * @param frame the first frame's number
   * @param pages how many consecutive frames
   * @param counted true when each frame comes with a reference for its page-table entry ({@code
   *     insertPage}), false for bare frame numbers ({@code remapPfnRange})
   */
  public record Install(long address, long frame, long pages, boolean counted) {
    /** First byte behind it. */
    public long end() {
      return address + (pages << Mman.PAGE_SHIFT);
    }
  }

  private final int pid;
  private final long start;
  private final long end;
  private final PhysicalMemory memory;
  private final SharedMemoryCheck sharedMemoryCheck;
  private final List<Install> installs = new ArrayList<>(0);
  private long pageOffset;
  private long flagBits;
  private @Nullable DeviceNode node;
  private @Nullable CachedFile file;
  private @Nullable AreaOperations operations;
  private @Nullable Object privateData;
  private boolean anonymous;
  private boolean sharedMemory;
  /** The driver's, during its call. */
  private @Nullable Thread thread;
  private boolean completed;

  /**
   * @param pid the process that maps
   * @param start first byte, aligned
   * @param end first byte behind, aligned
   * @param pageOffset in pages
   * @param flagBits the {@code vm_flags} as the system call makes them
   * @param memory where frames come from
   * @param sharedMemoryCheck asked when the driver wants a new object of shared memory
   */
  public MmapRequestObject(
      int pid, long start, long end, long pageOffset, long flagBits, PhysicalMemory memory,
      SharedMemoryCheck sharedMemoryCheck) {
    this.pid = pid;
    this.start = start;
    this.end = end;
    this.pageOffset = pageOffset;
    this.flagBits = flagBits;
    this.memory = memory;
    this.sharedMemoryCheck = sharedMemoryCheck;
  }

  /** The calling thread is about to call the driver. */
  synchronized void begin(DeviceNode driverNode, @Nullable CachedFile cachedFile) {
    node = driverNode;
    file = cachedFile;
    thread = Thread.currentThread();
  }

  /** The driver's {@code mmap} has returned: to it there is an area now. */
  synchronized void complete() {
    DeviceNode unused = writable();
    completed = true;
  }

  /** From here on the driver cannot change anything. */
  synchronized void finish() {
    thread = null;
  }

  private synchronized DeviceNode writable() {
    DeviceNode n = node;
    if (n == null || Thread.currentThread() != thread) {
      throw new IllegalStateException(
          "request: good only during mmap, and on the thread that it was called on");
    }
    return n;
  }

  @Override
  public int pid() {
    return pid;
  }

  @Override
  public long start() {
    return start;
  }

  @Override
  public long end() {
    return end;
  }

  @Override
  public long pageOffset() {
    return pageOffset;
  }

  @Override
  public synchronized void setPageOffset(long pages) {
    DeviceNode unused = writable();
    pageOffset = pages;
  }

  @Override
  public VmFlags flags() {
    return new VmFlags(flagBits);
  }

  /** The {@code vm_flags} word as it stands. */
  public long flagBits() {
    return flagBits;
  }

  @Override
  public synchronized void addFlags(VmFlag... flags) {
    DeviceNode unused = writable();
    flagBits |= VmFlags.of(flags).bits();
  }

  @Override
  public synchronized void removeFlags(VmFlag... flags) {
    DeviceNode unused = writable();
    long bits = VmFlags.of(flags).bits();
    if ((bits & SHARED_BITS) != 0) {
      throw new IllegalArgumentException(
          "flags: a driver cannot take SHARED or MAYSHARE away; refuse the mmap with EINVAL");
    }
    flagBits &= ~bits;
  }

  @Override
  public synchronized void setOperations(VmOperations newOperations) {
    operations = writable().guard(Objects.requireNonNull(newOperations, "operations"));
    anonymous = false;
    sharedMemory = false;
  }

  /**
   * The driver's operations behind their guard. Null only when {@link #anonymous} or {@link
   * #sharedMemory}: a driver that sets none gets some without methods, which answer every fault with
   * SIGBUS.
   */
  public @Nullable AreaOperations operations() {
    DeviceNode n = node;
    if (operations == null && !anonymous && !sharedMemory && n != null) {
      operations = n.guard(Driver.noOperations());
    }
    return operations;
  }

  @Override
  public synchronized void setPrivateData(@Nullable Object data) {
    DeviceNode unused = writable();
    privateData = data;
  }

  /** What the driver stored for the area. */
  public @Nullable Object privateData() {
    return privateData;
  }

  @Override
  public synchronized void setAnonymous() {
    DeviceNode unused = writable();
    anonymous = true;
    sharedMemory = false;
    operations = null;
  }

  /** Whether the area is to be anonymous memory though it has a file. */
  public boolean anonymous() {
    return anonymous;
  }

  @Override
  public synchronized void setSharedMemory() throws ErrnoException {
    DeviceNode unused = writable();
    sharedMemoryCheck.check(end - start);
    sharedMemory = true;
    anonymous = false;
    operations = null;
  }

  @Override
  public synchronized void setPageCache() throws ErrnoException {
    DeviceNode n = writable();
    CachedFile cached = file;
    if (cached == null) {
      throw new ErrnoException(
          Errno.ENODEV, n.owner() + ": the inode has no page cache; build it with pageCache(…)");
    }
    operations = cached.operations();
    anonymous = false;
    sharedMemory = false;
  }

  /** Whether a new object of shared memory takes the file's place. */
  public boolean sharedMemory() {
    return sharedMemory;
  }

  @Override
  public synchronized void remapPfnRange(long address, long frame, long length)
      throws ErrnoException {
    DeviceNode by = writable();
    if ((address & Mman.PAGE_SIZE - 1) != 0 || address < start || address >= end) {
      throw invalid("address: 0x%x is not the beginning of a page in [0x%x, 0x%x)"
          .formatted(address, start, end));
    }
    if (length <= 0 || length > end - address) {
      throw invalid("length: 0x%x bytes from 0x%x do not lie within [0x%x, 0x%x)"
          .formatted(length, address, start, end));
    }
    long pages = length + Mman.PAGE_SIZE - 1 >>> Mman.PAGE_SHIFT;
    boolean copyOnWrite = (flagBits & (VmFlag.SHARED.mask() | VmFlag.MAYWRITE.mask()))
        == VmFlag.MAYWRITE.mask();
    boolean whole = address == start && pages == end - start >>> Mman.PAGE_SHIFT;
    if (copyOnWrite && !whole) {
      throw invalid("length: a private mapping that may be written must be remapped as a whole");
    }
    BareFrames.check(by, null, frame, pages);
    Install install = new Install(address, frame, pages, false);
    if (overlaps(install)) {
      throw invalid("address: [0x%x, 0x%x) is mapped already, in part at least"
          .formatted(address, install.end()));
    }
    if (copyOnWrite) {
      // As Linux does it: this is how a page of the driver is told from a private copy.
      pageOffset = frame;
    }
    BareFrames.claim(by, frame, pages);
    flagBits |= PFN_BITS;
    installs.add(install);
  }

  private static ErrnoException invalid(String detail) {
    return new ErrnoException(Errno.EINVAL, detail);
  }

  private boolean overlaps(Install install) {
    for (Install other : installs) {
      if (other.address < install.end() && install.address < other.end()) {
        return true;
      }
    }
    return false;
  }

  @Override
  public synchronized void insertPage(long address, Page page) throws ErrnoException {
    DeviceNode unused = writable();
    ScopedPageMapper.checkAddress(start, end, address);
    long frame = ScopedPageMapper.checkPage(memory, page);
    if ((flagBits & VmFlag.PFNMAP.mask()) != 0) {
      throw invalid("page: the area maps bare frame numbers; use remapPfnRange or insertPage");
    }
    Install install = new Install(address, frame, 1, true);
    if (overlaps(install)) {
      throw new ErrnoException(
          Errno.EBUSY, "address: a page is mapped at 0x%x already".formatted(address));
    }
    try {
      memory.get(frame);
    } catch (IllegalStateException e) {
      throw invalid("page: " + e.getMessage());
    }
    flagBits |= VmFlag.MIXEDMAP.mask();
    installs.add(install);
  }

  /** What is to be installed once the area exists, in the order in which the driver mapped it. */
  public List<Install> installs() {
    return installs;
  }

  /** The operations whose {@code close} is due though the mmap has failed; null when none is. */
  public synchronized @Nullable AreaOperations closeDue() {
    return completed ? operations : null;
  }

  /**
   * Drops the references of what was not installed: the mmap has failed. Where the driver had completed
   * it, {@link #closeDue} and the private data stay.
   */
  public synchronized void discard() {
    for (Install install : installs) {
      if (install.counted) {
        memory.put(install.frame);
      }
    }
    installs.clear();
    if (!completed) {
      privateData = null;
      operations = null;
    }
  }
}
