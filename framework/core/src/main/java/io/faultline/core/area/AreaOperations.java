// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlags;
import org.jspecify.annotations.Nullable;

/**
 * A driver's {@link io.faultline.mm.VmOperations} as the engine calls them: through the guard that
 * times, counts and survives each call. An area compares operations by identity when it merges.
 *
 * <p>{@code has…} tells whether the driver overrides the method: the null entries of Linux's
 * structure. A call of one that is not there is an error of the caller.
 */
public interface AreaOperations {
  boolean hasOpen();

  boolean hasClose();

  boolean hasNopage();

  boolean hasPopulate();

  boolean hasMapPages();

  boolean hasPageMkwrite();

  boolean hasMaySplit();

  boolean hasMremap();

  boolean hasMprotect();

  /**
   * Whether {@link #nopage} answers with a page whose frame it has locked, and {@link #pageMkwrite} wants
   * it locked: the caller unlocks it when the page-table entry is made. The kernel's own operations
   * alone, whose pages can be taken away at any time.
   */
  default boolean returnsLocked() {
    return false;
  }

  /** Never fails: what the driver throws is logged and counted. */
  void open(Area area);

  /** Never fails: what the driver throws is logged and counted. */
  void close(Area area);

  /**
   * Never null and never throws: what goes wrong becomes {@link Nopage#SIGBUS}. The page is live and
   * of this kernel, and a reference on it is the caller's.
   */
  Nopage nopage(Area area, long address, Access access);

  void populate(
      Area area, long address, long length, Protection protection, long pageOffset,
      boolean nonblock, PageMapper pages)
      throws ErrnoException;

  void mapPages(Area area, long firstPage, long lastPage, PageMapper pages);

  /** False when the driver refuses, or fails. */
  boolean pageMkwrite(Area area, long address, Page page);

  void maySplit(Area area, long address) throws ErrnoException;

  void mremap(Area area) throws ErrnoException;

  void mprotect(Area area, long start, long end, VmFlags flags) throws ErrnoException;

  @Nullable String name(Area area);

  /**
   * Where to wait, when the last call on this thread was refused only because the driver is being
   * replaced, or is waited for; null where the refusal stands.
   */
  default @Nullable Parking parking() {
    return null;
  }

  /** For messages and counters: the device's path, or the file system's name. */
  String owner();

  /** Why the last call on this thread was refused, for the message of its signal; never null. */
  String lastRefusal();
}
