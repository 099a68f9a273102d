// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * How the pages of a file come from, and go to, where it is stored: {@code struct
 * address_space_operations} of Linux. An inode that was built with {@link Inode.Builder#pageCache}
 * has its pages kept by the kernel: {@code read}, {@code write} and mappings whose provider called
 * {@link MmapRequest#setPageCache} all work on the same pages, and the kernel calls these methods
 * when a page is not in memory or differs from what is stored.
 *
 * <p><b>Threads and locks.</b> Any thread may call, several at once for different pages; never two at
 * once for one page, and {@link #truncate} never beside {@link #writePages}, {@link #sync} or itself for
 * one inode. The pages are locked meanwhile: touching them through a mapping or through {@code read} would
 * wait for ever. {@link Inode#resize} may be called; what a smaller size means to pages in memory is
 * done when the method has returned.
 *
 * <p><b>Failures.</b> Anything thrown is a failure, and so is a call that outlasts the time limit,
 * which interrupts it. An {@link ErrnoException} names the error that a system call returns; an {@link
 * IOException} is EIO.
 */
@ConsumerType
public interface AddressSpaceOperations {
  /**
   * Brings consecutive pages in ({@code readahead}). What lies behind the end of the file is left as it
   * is: zeros.
   *
   * @param firstPage the first page's index in the file
   * @param pages one for each page, 4096 bytes long, filled with zeros; good during the call only
   * @throws IOException when not all of them could be brought: none counts as brought then, and where
   *     there were several, the one that is needed is asked for alone
   */
  void readPages(Inode inode, long firstPage, MemorySegment[] pages)
      throws IOException, ErrnoException;

  /**
   * Stores consecutive pages ({@code writepages}). Where the file's stored size is smaller, it grows.
   * What has been stored need not outlive a crash of the host before {@link #sync}.
   *
   * @param firstPage the first page's index in the file
   * @param pages read-only; 4096 bytes long each, but the one that holds the end of the file ends
   *     there; good during the call only
   * @throws IOException when not all of them were stored: all of them stay dirty in memory, and are
   *     tried again
   */
  void writePages(Inode inode, long firstPage, MemorySegment[] pages)
      throws IOException, ErrnoException;

  /**
   * A clean page is about to be written through a mapping ({@code page_mkwrite}): the place to reserve
   * room for it, so that writing it back does not fail later.
   *
   * @param page its index in the file
   * @throws IOException to refuse: the access gets SIGBUS
   */
  default void pageMkwrite(Inode inode, long page) throws IOException, ErrnoException {}

  /**
   * {@code ftruncate(2)}: changes the size of what is stored. The kernel then calls {@link
   * Inode#resize}.
   *
   * @param size the new size in bytes
   * @throws IOException when nothing was changed
   */
  default void truncate(Inode inode, long size) throws IOException, ErrnoException {
    throw new ErrnoException(
        Errno.EINVAL, "fd: " + inode.path() + " cannot be truncated");
  }

  /**
   * Makes what was stored outlive a crash ({@code fsync}); after the dirty pages were written.
   *
   * @throws IOException when that is not certain
   */
  default void sync(Inode inode) throws IOException, ErrnoException {}

  /**
   * Looks whether the file was changed behind the kernel's back, and calls {@link Inode#resize} when
   * its size was. Called when it is opened, before it is synchronized, and every few seconds while it
   * is in use.
   */
  default void revalidate(Inode inode) throws IOException, ErrnoException {}
}
