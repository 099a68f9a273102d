// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import io.faultline.device.PageAllocator;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The frames of one owner, a driver's bundle: hands them out, keeps account of the references that
 * are the owner's, and takes them back when the owner is gone. Thread-safe.
 */
public final class DriverPages implements PageAllocator, AutoCloseable {
  private final PhysicalMemory memory;
  private final String owner;
  private final Set<FramePage> held = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /**
   * @param memory where the frames come from
   * @param owner for messages
   */
  public DriverPages(PhysicalMemory memory, String owner) {
    this.memory = memory;
    this.owner = owner;
  }

  @Override
  public Page allocate() throws ErrnoException {
    return allocate(0).getFirst();
  }

  @Override
  public List<Page> allocate(int order) throws ErrnoException {
    if (order < 0 || order > PhysicalMemory.MAX_ORDER) {
      throw new ErrnoException(
          Errno.EINVAL, "order = " + order + ": give 0 to " + PhysicalMemory.MAX_ORDER);
    }
    if (closed) {
      throw new ErrnoException(Errno.ENOMEM, owner + " is gone and gets no pages");
    }
    long first = memory.allocateRun(order, FrameUse.DRIVER);
    if (first == PhysicalMemory.NONE) {
      throw new ErrnoException(
          Errno.ENOMEM, "no " + (1 << order) + " consecutive free frames for " + owner);
    }
    List<Page> pages = new ArrayList<>(1 << order);
    for (long f = first; f < first + (1 << order); f++) {
      FramePage page = FramePage.owned(memory, f, this);
      held.add(page);
      pages.add(page);
    }
    if (closed) {
      // Closed by another thread meanwhile: that one may not have seen these.
      reclaim();
      throw new ErrnoException(Errno.ENOMEM, owner + " is gone and gets no pages");
    }
    return pages;
  }

  @Override
  public MemorySegment segment(List<Page> pages) {
    if (pages.isEmpty()) {
      throw new IllegalArgumentException("pages: none");
    }
    long first = pages.getFirst().frameNumber();
    for (int i = 0; i < pages.size(); i++) {
      long frame = memory.frameOf(pages.get(i));
      if (frame == PhysicalMemory.NONE) {
        throw new IllegalStateException(
            "pages: the one at index " + i + " is freed: " + pages.get(i));
      }
      if (frame != first + i) {
        throw new IllegalArgumentException(
            "pages: frame " + frame + " at index " + i + " does not follow frame " + first);
      }
    }
    long bytes = (long) pages.size() * Mman.PAGE_SIZE;
    return memory.arena().asSlice(first * Mman.PAGE_SIZE, bytes);
  }

  /** The owner took a reference again on a page that it no longer held. */
  void holds(FramePage page) {
    held.add(page);
    if (closed) {
      reclaim();
    }
  }

  /** The owner's last reference on a page went. */
  void holdsNoMore(FramePage page) {
    held.remove(page);
    if (page.isHeld()) {
      // Taken again in between by another thread.
      held.add(page);
    }
  }

  /** Whether this owner allocated the page, and still holds it. */
  public boolean holds(Page page) {
    return page instanceof FramePage p && p.isHeldBy(this);
  }

  /** Whether this owner holds the frame. */
  public boolean holdsFrame(long frame) {
    return memory.isLive(frame) && held.contains(FramePage.lent(memory, frame));
  }

  /**
   * A further handle for a page of another owner, with a reference of this owner's. It is not yet in
   * this owner's account: {@link #complete} or {@link #undo} must follow.
   *
   * @throws IllegalStateException when the page was freed, whosever its frame is now
   */
  public Page share(Page page) {
    return ((FramePage) page).sharedWith(this);
  }

  /**
   * Takes a reference of this owner's on a page of another one, who keeps his own.
   *
   * @throws IllegalStateException as {@link #share}
   */
  public Page keep(Page page) {
    FramePage kept = (FramePage) share(page);
    holds(kept);
    return kept;
  }

  /** The page is this owner's alone from now on. */
  public void complete(Page old, Page shared) {
    ((FramePage) old).handOver();
    FramePage page = (FramePage) shared;
    if (page.isHeld()) {
      holds(page);
    }
  }

  /** The page stays the other owner's. */
  public void undo(Page old, Page shared) {
    ((FramePage) shared).handOver();
    FramePage page = (FramePage) old;
    DriverPages account = page.owner();
    if (account != null && page.isHeld()) {
      account.holds(page);
    }
  }

  @Override
  public long allocated() {
    return held.size();
  }

  /**
   * Takes back what the owner still holds; frames that processes map stay until those are done. The
   * owner gets no more pages. A second call takes back what came meanwhile, usually nothing.
   *
   * @return the number of pages taken back, which the owner should have put
   */
  public long reclaim() {
    closed = true;
    long taken = 0;
    for (FramePage page : held) {
      if (page.takeBack()) {
        taken++;
      }
    }
    return taken;
  }

  /** As {@link #reclaim}. */
  @Override
  public void close() {
    reclaim();
  }
}
