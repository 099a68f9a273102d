// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.Page;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * An open file ({@code struct file}). Its identity matters: two areas join only when they map the
 * same open file, not merely the same inode. Thread-safe.
 */
@ProviderType
public interface OpenFile {
  /** The file that is open. */
  Inode inode();

  /** How it was opened. */
  AccessMode mode();

  /** Whether it was opened with {@code O_APPEND}. */
  boolean append();

  /** Which of the driver's devices: the minor number less the first minor of its registration. */
  int index();

  /** The position for read and write, in bytes. */
  long position();

  /** Sets the position, in bytes. */
  void setPosition(long position);

  /**
   * Takes the right to write to a page from all page tables that map it through this file's inode, {@code
   * mapping_wrprotect_range}: those of all processes, and of areas of other open files of the same device
   * too. Every store that was made before is in the page when this returns; the next one through any area
   * whose operations have {@link io.faultline.mm.VmOperations#pageMkwrite} calls that first. So a driver
   * that notes dirty pages there, and takes them off its list before it calls this, misses no store: a
   * {@code pageMkwrite} that was under way meanwhile is called again.
   *
   * <p>Entries without a reference ({@link MmapRequest#remapPfnRange}) stay as they are. For a file whose
   * pages the kernel keeps nothing is done. Areas that were taken over from a version whose operations had
   * no {@code pageMkwrite} may have entries that can be written: the first call for each page ends that.
   *
   * <p>Any thread may call, from within callbacks too. No lock of an address space is taken.
   *
   * @param pageOffset the page's place in the file ({@link io.faultline.mm.Vma#pageOffsetOf}), in pages
   * @param page what {@code nopage} answered there
   * @return how many page-table entries could be written, or had been: 0 when nobody has written to the
   *     page through a mapping since the last call
   * @throws IllegalStateException when the last reference to the page is gone
   */
  int writeProtect(long pageOffset, Page page);

  /** What the driver stored ({@code filp->private_data}). */
  @Nullable Object privateData();

  /** Stores a value of the driver's own, usually in {@code open}. */
  void setPrivateData(@Nullable Object data);
}
