// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.MappedFile;
import io.faultline.core.area.Parking;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.AccessMode;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.device.Placement;
import io.faultline.kernel.TraceEvent;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An open file ({@code struct file}), counted by descriptors and by areas, and the guard of its
 * driver's {@code file_operations}. It begins with one reference, a descriptor's. Thread-safe.
 */
public final class OpenFileObject implements MappedFile {
  private static final long AREA = 1L << 32;

  /** Changes when another driver takes over, while no memory call is under way. */
  private volatile DeviceNode node;
  private final Inode inode;
  private final AccessMode mode;
  private final boolean append;
  private final @Nullable CachedFile cached;
  private final @Nullable FileMapping mapping;
  /** As {@link #mapping}, until the device's operations want to hear of writes. */
  private volatile @Nullable FileMapping places;
  private final ReadAhead readAhead = new ReadAhead();
  /** Errors of write-backs that it has heard of ({@code f_wb_err}); guarded by this. */
  private long errorsHeard;
  /** Descriptors in the low half, areas in the high one. */
  private final AtomicLong references = new AtomicLong(1);
  private final AtomicBoolean toRelease = new AtomicBoolean();
  private volatile boolean opened;
  private volatile boolean offered;
  private volatile long position;
  private volatile @Nullable Object privateData;

  OpenFileObject(DeviceNode node, Inode inode, AccessMode mode, boolean append) {
    this.node = node;
    this.inode = inode;
    this.mode = mode;
    this.append = append;
    this.cached = mode == AccessMode.PATH ? null : node.kernel().mappings().open(node, inode);
    this.mapping = cached != null ? cached.mapping() : node.kernel().mappings().find(inode);
    this.places = mapping;
    this.errorsHeard = cached == null ? 0 : cached.errors().sample();
  }

  /** The driver's {@code open}; O_PATH opens without it. */
  void open() throws ErrnoException {
    if (!node.driver().admits(false) && !node.driver().isExchanging()) {
      forgetPages();
      throw new ErrnoException(
          Errno.ENXIO, node.gone(node.kernel().watchdog().slot(), "open"));
    }
    node.files().add(this);
    if (mode == AccessMode.PATH) {
      return;
    }
    try {
      call("open", false, Errno.ENXIO, provider -> {
        provider.open(this);
        opened = true;
        toRelease.set(true);
        return null;
      });
    } catch (ErrnoException e) {
      // A driver that did open the file, but too late, is told to release it.
      forgetPages();
      hangUp();
      forget();
      throw e;
    }
    CachedFile pages = cached;
    if (pages != null) {
      pages.revalidate();
    }
  }

  ReadAhead readAhead() {
    return readAhead;
  }

  DeviceNode node() {
    return node;
  }

  /** Another driver has it, and will be told to release it. */
  void moveTo(DeviceNode other) {
    node = other;
    toRelease.set(opened);
  }

  /** It is offered to another driver, which may store its private data, or is no more. */
  void setOffered(boolean now) {
    offered = now;
  }

  /** Whether a driver has opened it. */
  boolean isOpened() {
    return opened;
  }

  /** Calls the driver; waits while it is being exchanged. */
  private <R extends @Nullable Object> R call(
      String operation, boolean whileLeaving, Errno whenGone, DriverCall<MmapProvider, R> body)
      throws ErrnoException {
    while (true) {
      DeviceNode now = node;
      try {
        return now.callFile(now.driver().lease(), operation, whileLeaving, whenGone, body);
      } catch (ExchangeException again) {
        now.driver().awaitExchange(whileLeaving);
      } catch (ErrnoException refused) {
        if (node == now || !now.kernel().watchdog().slot().wasAbsent()) {
          throw refused;
        }
        // Another driver took the file over between the look at the node and the call.
      }
    }
  }

  /** As {@link #call}, and waits for a driver that is to come back. No lock of a space is held. */
  private <R extends @Nullable Object> R transfer(
      String operation, DriverCall<MmapProvider, R> body) throws ErrnoException {
    while (true) {
      try {
        return call(operation, false, Errno.ENXIO, body);
      } catch (ErrnoException refused) {
        DeviceNode now = node;
        Driver driver = now.driver();
        if (!now.kernel().watchdog().slot().wasAbsent() || !driver.parks()
            || references.get() == 0) {
          throw refused;
        }
        if (!driver.pause()) {
          throw new ErrnoException(
              Errno.EINTR, operation + ": the wait for the driver was interrupted");
        }
      }
    }
  }

  @Override
  public Inode inode() {
    return inode;
  }

  @Override
  public @Nullable FileMapping mapping() {
    return mapping;
  }

  @Override
  public @Nullable FileMapping places() {
    return places;
  }

  /** Areas with these operations are about to be linked. */
  void track(@Nullable AreaOperations operations) {
    if (places == null && operations != null && operations.hasPageMkwrite()) {
      places = node.kernel().mappings().makePlaces(inode, node.kernel().memory());
    }
  }

  @Override
  public int writeProtect(long pageOffset, Page page) {
    PhysicalMemory memory = node.kernel().memory();
    long frame = memory.frameOf(page);
    if (frame == PhysicalMemory.NONE || !memory.tryGet(frame)) {
      throw new IllegalStateException("page: the last reference to it is gone: " + page);
    }
    try {
      FileMapping known = node.kernel().mappings().places(inode);
      return known == null ? 0 : writeProtect(known, pageOffset, frame);
    } finally {
      memory.put(frame);
    }
  }

  private int writeProtect(FileMapping known, long pageOffset, long frame) {
    FrameTable frames = node.kernel().memory().table();
    frames.lock(frame);
    try {
      known.countProtection(frame);
      return node.kernel().mappings().rmap().writeProtect(known, pageOffset, frame);
    } finally {
      frames.unlock(frame);
    }
  }

  @Override
  public AccessMode mode() {
    return mode;
  }

  @Override
  public boolean append() {
    return append;
  }

  @Override
  public int index() {
    return node.index();
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public void setPosition(long newPosition) {
    position = newPosition;
  }

  @Override
  public @Nullable Object privateData() {
    return privateData;
  }

  @Override
  public void setPrivateData(@Nullable Object data) {
    privateData = data;
    if (node.driver().isGone() && !offered) {
      privateData = PrivateData.carried(data);
    }
  }

  /** The driver is gone, with its objects. */
  void driverGone() {
    privateData = PrivateData.carried(privateData);
    if (cached != null) {
      inode.forgetPageCache();
    }
  }

  /** The driver, for messages and for {@link Driver#owns}. */
  public Driver driver() {
    return node.driver();
  }

  /** For messages: the device's path, or the file system's name. */
  public String owner() {
    return node.owner();
  }

  /** Whether the file can be mapped at all: its driver overrides {@code mmap}. */
  public boolean canMmap() {
    return overrides("mmap");
  }

  /**
   * {@code FMODE_CAN_READ}: its driver overrides {@code read}. How it was opened is another question;
   * {@link AccessMode#canRead} answers that.
   */
  public boolean canRead() {
    return cached != null || overrides("read");
  }

  /**
   * {@code FMODE_CAN_WRITE}: its driver overrides {@code write}. How it was opened is another
   * question; {@link AccessMode#canWrite} answers that.
   */
  public boolean canWrite() {
    return cached != null || overrides("write");
  }

  private boolean overrides(String method) {
    return node.driver().overrides().has(method);
  }

  /** How mappings of it are placed; {@link Placement#DEFAULT} when the driver does not know. */
  public Placement placement() {
    if (!overrides("placement")) {
      return Placement.DEFAULT;
    }
    try {
      Placement placement = this.<@Nullable Placement>call(
          "placement", false, Errno.ENODEV, MmapProvider::placement);
      if (placement != null) {
        return placement;
      }
      String unused =
          node.failed(node.kernel().watchdog().slot(), "placement", "it returned null", null);
    } catch (ErrnoException e) {
      // Counted and logged.
    }
    return Placement.DEFAULT;
  }

  /** Whether {@code MAP_SYNC} may be asked of it. */
  public boolean supportsMapSync() {
    if (!overrides("supportsMapSync")) {
      return false;
    }
    try {
      return call("supportsMapSync", false, Errno.ENODEV,
          MmapProvider::supportsMapSync);
    } catch (ErrnoException e) {
      return false;
    }
  }

  /** The size in bytes as its driver tells it; the inode's when the driver fails. */
  public long size() {
    if (!overrides("size")) {
      return inode.size();
    }
    try {
      long size = call("size", false, Errno.ENODEV, provider -> provider.size(this));
      return Math.max(0, size);
    } catch (ErrnoException e) {
      return inode.size();
    }
  }

  /**
   * Where {@code mmap(2)} waits for its driver while that is not there; null when it is, or is not to be
   * waited for. No lock of a space may be held.
   */
  public @Nullable Parking parking() {
    Driver driver = node.driver();
    return driver.isPresent() || !driver.parks() || node.inode() == null || !canMmap()
        || node.kernel().watchdog().slot().inside(driver)
            ? null
            : driver;
  }

  /** Whether this thread's last call was none, for want of a driver that is back or may come back. */
  public boolean isToTryAgain() {
    // Without a call nothing was refused now: what the thread remembers is of another driver.
    return canMmap() && node.kernel().watchdog().slot().wasAbsent()
        && (node.driver().isPresent() || parking() != null);
  }

  /**
   * Has the driver complete an area. Afterwards the request holds the answers; if this fails, it
   * holds none, and the references that the driver's pages had got are dropped.
   *
   * @throws ErrnoException ENODEV when the file cannot be mapped or its driver is gone; what the
   *     driver throws; EIO, ENOMEM or ETIMEDOUT when it fails in another way
   */
  public void mmap(MmapRequestObject request) throws ErrnoException {
    if (!canMmap()) {
      throw new ErrnoException(Errno.ENODEV, "fd: " + inode.path() + " cannot be mapped");
    }
    boolean done = false;
    try {
      call("mmap", false, Errno.ENODEV, provider -> {
        // Here: the node may be another one than before a wait.
        request.begin(node, cached);
        provider.mmap(this, request);
        return null;
      });
      done = true;
      track(request.operations());
    } finally {
      request.finish();
      if (!done) {
        request.discard();
      }
      if (node.kernel().tracer().enabled()) {
        node.kernel().tracer().emit(
            TraceEvent.Kind.MMAP, request.pid(), node.owner(), request.start(), request.end(),
            done ? "mmap" : "mmap failed");
      }
    }
  }

  /**
   * Reads bytes.
   *
   * @param offset where in the file, in bytes
   * @return how many; 0 at the end
   * @throws ErrnoException EBADF when not open for reading, EINVAL when the driver has no {@code
   *     read}, ENXIO when it is gone; what it throws; EIO, ENOMEM or ETIMEDOUT when it fails in
   *     another way
   */
  public int read(long offset, MemorySegment target) throws ErrnoException {
    if (!mode.canRead()) {
      throw new ErrnoException(Errno.EBADF, "fd: " + inode.path() + " is not open for reading");
    }
    if (!canRead()) {
      throw new ErrnoException(Errno.EINVAL, "fd: " + inode.path() + " has no read");
    }
    CachedFile pages = cached;
    if (pages != null) {
      requirePresent("read");
      return pages.read(offset, target, readAhead);
    }
    int count = transfer("read",
        provider -> provider.read(this, offset, target));
    return checkCount("read", count, target.byteSize());
  }

  /**
   * Writes bytes.
   *
   * @param offset where in the file, in bytes
   * @return how many
   * @throws ErrnoException as {@link #read}
   */
  public int write(long offset, MemorySegment source) throws ErrnoException {
    if (!mode.canWrite()) {
      throw new ErrnoException(Errno.EBADF, "fd: " + inode.path() + " is not open for writing");
    }
    if (!canWrite()) {
      throw new ErrnoException(Errno.EINVAL, "fd: " + inode.path() + " has no write");
    }
    CachedFile pages = cached;
    if (pages != null) {
      requirePresent("write");
      return pages.write(offset, source);
    }
    int count = transfer("write",
        provider -> provider.write(this, offset, source.asReadOnly()));
    return checkCount("write", count, source.byteSize());
  }

  private void requirePresent(String operation) throws ErrnoException {
    if (!node.driver().isPresent()) {
      throw new ErrnoException(
          Errno.ENXIO, node.gone(node.kernel().watchdog().slot(), operation));
    }
  }

  /**
   * {@code ftruncate(2)}.
   *
   * @param size in bytes
   * @throws ErrnoException EINVAL when not open for writing, without a page cache, or negative; the
   *     driver's
   */
  public void truncate(long size) throws ErrnoException {
    CachedFile pages = cached;
    if (pages == null || !mode.canWrite() || size < 0) {
      throw new ErrnoException(
          Errno.EINVAL,
          size < 0
              ? "size: " + size + " is negative"
              : "fd: " + inode.path()
                  + " is no file that is open for writing and can be truncated");
    }
    pages.truncate(size);
  }

  /**
   * {@code fsync(2)} of a range, and {@code msync(2)} of a mapping: writes dirty pages back.
   *
   * @param firstPage index of the first page
   * @param endPage index of the first page behind
   * @throws ErrnoException an error that a write-back met since this was last called, or since the
   *     file was opened; EINVAL without a page cache
   */
  public void sync(long firstPage, long endPage) throws ErrnoException {
    CachedFile pages = cached;
    if (pages == null) {
      throw new ErrnoException(Errno.EINVAL, "fd: " + inode.path() + " has nothing to write back");
    }
    pages.sync(firstPage, endPage);
    ErrnoException failure;
    synchronized (this) {
      failure = pages.errors().since(errorsHeard);
      errorsHeard = pages.errors().count();
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Whether the kernel keeps its pages and writes them back. */
  public boolean hasPageCache() {
    return cached != null;
  }

  /** A shared mapping of a range goes: what was written through it reaches the file. */
  public void unmapped(long firstPage, long endPage) {
    CachedFile pages = cached;
    if (pages != null) {
      boolean unused = pages.writeBack(firstPage, endPage, false);
    }
  }

  /** {@code MADV_WILLNEED}. */
  public void readAhead(long firstPage, long endPage) {
    CachedFile pages = cached;
    if (pages != null) {
      pages.readAhead(firstPage, endPage);
    }
  }

  private int checkCount(String operation, int count, long length) throws ErrnoException {
    if (count < 0 || count > length) {
      throw new ErrnoException(
          Errno.EIO, node.failed(
              node.kernel().watchdog().slot(), operation,
              "it returned " + count + " for " + length + " bytes", null));
    }
    return count;
  }

  /** Takes a reference for an area. */
  @Override
  public void get() {
    take(AREA);
    node.areaAdded();
  }

  /** Drops an area's reference. */
  @Override
  public void put() {
    drop(AREA);
    node.areaRemoved();
  }

  /** Takes a reference for one more descriptor: {@code dup}, {@code fork}. */
  public void retain() {
    take(1);
  }

  /** Drops a descriptor's reference: {@code close(2)}, exit. */
  public void release() {
    drop(1);
  }

  /** The number of descriptors that stand for it. */
  public int descriptors() {
    return (int) references.get();
  }

  /** The number of areas that map it. */
  public int areas() {
    return (int) (references.get() >>> 32);
  }

  private void take(long one) {
    if (references.getAndAdd(one) == 0) {
      references.addAndGet(-one);
      throw new IllegalStateException(inode.path() + ": the open file is released already");
    }
  }

  private void drop(long one) {
    long left = references.addAndGet(-one);
    if (left == 0) {
      // Before the driver is told to release it: pages may have to be stored.
      forgetPages();
      hangUp();
      forget();
    } else if (left < 0 || (int) left < 0) {
      references.addAndGet(one);
      throw new IllegalStateException(
          inode.path() + ": more references dropped than were taken");
    }
  }

  /** The driver's {@code release}, once: at the last reference, or before the driver goes. */
  void hangUp() {
    if (toRelease.compareAndSet(true, false)) {
      try {
        call("release", true, Errno.ENXIO, provider -> {
          provider.release(this);
          return null;
        });
      } catch (ErrnoException e) {
        // Counted and logged; a release cannot be refused.
      }
    }
  }

  private void forgetPages() {
    CachedFile pages = cached;
    if (pages != null) {
      node.kernel().mappings().close(pages);
    }
  }

  private void forget() {
    node.files().remove(this);
    privateData = null;
    node.driver().fileClosed(node);
  }

  @Override
  public String toString() {
    return inode.path() + " " + mode;
  }
}
