// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.kernel.KernelProfile;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much memory has been promised to all processes of one machine ({@code vm_committed_as}), and
 * whether more may be ({@code __vm_enough_memory}). In pages. Thread-safe.
 */
public final class CommitAccount {
  private static final long ADMIN_RESERVE_PAGES = 8192 / 4;
  private static final long USER_RESERVE_PAGES = 131072 / 4;

  private final AtomicLong committed = new AtomicLong();

  /**
   * Promises pages.
   *
   * @throws ErrnoException ENOMEM when the profile's overcommit mode does not allow it; then nothing
   *     is promised
   */
  void charge(AddressSpace space, long pages) throws ErrnoException {
    KernelProfile profile = space.profile();
    long now = committed.addAndGet(pages);
    switch (profile.overcommit()) {
      case ALWAYS -> {}
      case HEURISTIC -> {
        long all = (profile.totalMemoryBytes() + profile.totalSwapBytes()) >>> Mman.PAGE_SHIFT;
        if (Long.compareUnsigned(pages, all) > 0) {
          committed.addAndGet(-pages);
          throw new ErrnoException(
              Errno.ENOMEM, "length: " + pages + " pages are more than all memory and swap");
        }
      }
      case NEVER -> {
        long allowed = limit(profile);
        if (!space.credentials().admin()) {
          allowed -= ADMIN_RESERVE_PAGES;
        }
        allowed -= Math.min(space.account().total() / 32, USER_RESERVE_PAGES);
        if (now >= allowed) {
          committed.addAndGet(-pages);
          throw new ErrnoException(
              Errno.ENOMEM, "length: the commit limit of " + allowed + " pages is reached");
        }
      }
    }
  }

  /** Takes back a promise. */
  void uncharge(long pages) {
    committed.addAndGet(-pages);
  }

  /** {@code Committed_AS}, in pages. */
  public long committed() {
    return committed.get();
  }

  /** {@code CommitLimit}, in pages. */
  public static long limit(KernelProfile profile) {
    return (profile.totalMemoryBytes() / 100 * profile.overcommitRatio()
        + profile.totalSwapBytes())
        >>> Mman.PAGE_SHIFT;
  }
}
