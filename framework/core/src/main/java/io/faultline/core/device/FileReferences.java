// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.Inode;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Who holds an open file: descriptors and areas, in one count ({@code f_count}), so that exactly one of
 * them is the last. It begins with a descriptor's reference. Thread-safe.
 */
final class FileReferences {
  static final long DESCRIPTOR = 1;
  static final long AREA = 1L << 32;

  /** For messages. */
  private final Inode inode;
  /** Descriptors in the low half, areas in the high one. */
  private final AtomicLong count = new AtomicLong(DESCRIPTOR);

  FileReferences(Inode inode) {
    this.inode = inode;
  }

  int descriptors() {
    return (int) count.get();
  }

  int areas() {
    return (int) (count.get() >>> 32);
  }

  /** Whether the last one is dropped. */
  boolean areGone() {
    return count.get() == 0;
  }

  /**
   * Takes a reference.
   *
   * @param one {@link #DESCRIPTOR} or {@link #AREA}
   * @throws IllegalStateException when the last one is dropped
   */
  void take(long one) {
    if (count.getAndAdd(one) == 0) {
      count.addAndGet(-one);
      throw new IllegalStateException(inode.path() + ": the open file is released already");
    }
  }

  /**
   * Drops a reference.
   *
   * @param one {@link #DESCRIPTOR} or {@link #AREA}
   * @return whether it was the last
   * @throws IllegalStateException when none was taken
   */
  boolean drop(long one) {
    long left = count.addAndGet(-one);
    if (left < 0 || (int) left < 0) {
      count.addAndGet(one);
      throw new IllegalStateException(
          inode.path() + ": more references dropped than were taken");
    }
    return left == 0;
  }
}
