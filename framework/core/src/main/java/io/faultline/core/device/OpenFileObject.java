// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.MappedFile;
import io.faultline.core.area.Parking;
import io.faultline.core.memory.FileMapping;
import io.faultline.device.AccessMode;
import io.faultline.device.Inode;
import io.faultline.device.Placement;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * An open file ({@code struct file}), counted by descriptors and by areas, and the guard of its
 * driver's {@code file_operations}. It begins with one reference, a descriptor's. Thread-safe.
 */
public final class OpenFileObject implements MappedFile {
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
  private final FileReferences references;
  private final FileCalls calls = new FileCalls(this);
  private final FileTraits traits = new FileTraits(this, calls);
  private final FileContents contents;
  private final FileMmap mmap;
  private final AtomicBoolean toRelease = new AtomicBoolean();
  private volatile boolean opened;
  private volatile boolean openFailed;
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
    this.references = new FileReferences(inode);
    this.contents =
        cached == null
            ? new DriverContents(this, calls)
            : new CachedContents(this, cached, readAhead);
    this.mmap = new FileMmap(this, calls, cached);
  }

  /** The driver's {@code open}; O_PATH opens without it. */
  void open() throws ErrnoException {
    if (!node.driver().admits(false) && !node.driver().isExchanging()) {
      contents.closed();
      throw new ErrnoException(
          Errno.ENXIO, node.gone(node.kernel().watchdog().slot(), "open"));
    }
    node.files().add(this);
    if (mode == AccessMode.PATH) {
      return;
    }
    try {
      calls.callAside("open", false, Errno.ENXIO, provider -> {
        provider.open(this);
        opened = true;
        toRelease.set(true);
        if (openFailed && toRelease.compareAndSet(true, false)) {
          // So late that nobody waits for it any more.
          provider.release(this);
        }
        return null;
      });
    } catch (ErrnoException e) {
      openFailed = true;
      // A driver that did open the file, but too late, is told to release it.
      contents.closed();
      hangUp();
      forget();
      throw e;
    }
    contents.opened();
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
    return node.kernel().mappings().writeProtect(inode, pageOffset, page, node.kernel().memory());
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
    return mmap.isPossible();
  }

  /**
   * {@code FMODE_CAN_READ}: its driver overrides {@code read}. How it was opened is another question;
   * {@link AccessMode#canRead} answers that.
   */
  public boolean canRead() {
    return contents.canRead();
  }

  /**
   * {@code FMODE_CAN_WRITE}: its driver overrides {@code write}. How it was opened is another
   * question; {@link AccessMode#canWrite} answers that.
   */
  public boolean canWrite() {
    return contents.canWrite();
  }

  /** Whether there is an {@code fsync} to call: the page cache's, or one that its driver overrides. */
  public boolean canSync() {
    return contents.canSync();
  }

  /** How mappings of it are placed; {@link Placement#DEFAULT} when the driver does not know. */
  public Placement placement() {
    return traits.placement();
  }

  /** Whether {@code MAP_SYNC} may be asked of it. */
  public boolean supportsMapSync() {
    return traits.supportsMapSync();
  }

  /** The size in bytes as its driver tells it; the inode's when the driver fails. */
  public long size() {
    return traits.size();
  }

  /**
   * Where {@code mmap(2)} waits for its driver while that is not there; null when it is, or is not to be
   * waited for. No lock of a space may be held.
   */
  public @Nullable Parking parking() {
    return mmap.parking();
  }

  /** Whether this thread's last call was none, for want of a driver that is back or may come back. */
  public boolean isToTryAgain() {
    return mmap.isToTryAgain();
  }

  /**
   * Has the driver complete an area. Afterwards the request holds the answers; if this fails, it
   * holds none, and the references that the driver's pages had got are dropped.
   *
   * @throws ErrnoException ENODEV when the file cannot be mapped or its driver is gone; what the
   *     driver throws; EIO, ENOMEM or ETIMEDOUT when it fails in another way
   */
  public void mmap(MmapRequestObject request) throws ErrnoException {
    mmap.run(request);
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
    return contents.read(offset, target);
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
    return contents.write(offset, source);
  }

  /**
   * {@code ftruncate(2)}.
   *
   * @param size in bytes
   * @throws ErrnoException EINVAL when not open for writing, without a page cache, or negative; the
   *     driver's
   */
  public void truncate(long size) throws ErrnoException {
    if (size < 0) {
      throw new ErrnoException(Errno.EINVAL, "size: " + size + " is negative");
    }
    if (!mode.canWrite()) {
      throw new ErrnoException(
          Errno.EINVAL, "fd: " + inode.path() + " is not open for writing");
    }
    contents.truncate(size);
  }

  /**
   * {@code fsync(2)} of a range, and {@code msync(2)} of a mapping: writes dirty pages back, or has the
   * driver send them.
   *
   * @param firstPage index of the first page
   * @param endPage index of the first page behind
   * @throws ErrnoException an error that a write-back met since this was last called, or since the
   *     file was opened; EINVAL when it cannot ({@link #canSync}); as {@link #read}
   */
  public void sync(long firstPage, long endPage) throws ErrnoException {
    contents.sync(firstPage, endPage);
  }

  /** Whether the kernel keeps its pages and writes them back. */
  public boolean hasPageCache() {
    return cached != null;
  }

  /** A shared mapping of a range goes: what was written through it reaches the file. */
  public void unmapped(long firstPage, long endPage) {
    contents.unmapped(firstPage, endPage);
  }

  /** {@code MADV_WILLNEED}. */
  public void readAhead(long firstPage, long endPage) {
    contents.readAhead(firstPage, endPage);
  }

  /** Takes a reference for an area. */
  @Override
  public void get() {
    references.take(FileReferences.AREA);
    node.areaAdded();
  }

  /** Drops an area's reference. */
  @Override
  public void put() {
    drop(FileReferences.AREA);
    node.areaRemoved();
  }

  /** Takes a reference for one more descriptor: {@code dup}, {@code fork}. */
  public void retain() {
    references.take(FileReferences.DESCRIPTOR);
  }

  /** Drops a descriptor's reference: {@code close(2)}, exit. */
  public void release() {
    drop(FileReferences.DESCRIPTOR);
  }

  /** The number of descriptors that stand for it. */
  public int descriptors() {
    return references.descriptors();
  }

  /** The number of areas that map it. */
  public int areas() {
    return references.areas();
  }

  /** Whether nobody holds it any more. */
  boolean isReleased() {
    return references.areGone();
  }

  private void drop(long one) {
    if (references.drop(one)) {
      // Before the driver is told to release it: pages may have to be stored.
      contents.closed();
      hangUp();
      forget();
    }
  }

  /** The driver's {@code release}, once: at the last reference, or before the driver goes. */
  void hangUp() {
    if (toRelease.compareAndSet(true, false)) {
      try {
        calls.callAside("release", true, Errno.ENXIO, provider -> {
          provider.release(this);
          return null;
        });
      } catch (ErrnoException e) {
        // Counted and logged; a release cannot be refused.
      }
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
