// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * What a driver does for the areas it maps: {@code struct vm_operations_struct} (LDD3 p. 421 f.).
 *
 * <p><b>A method that a driver does not override is a null entry of Linux's structure</b>, and the
 * kernel treats it so: an area whose operations have no {@code nopage} answers every fault with
 * SIGBUS, one whose operations have {@code close} is never removed by a merge. The kernel looks once,
 * when the operations are attached, which methods the object's class declares.
 *
 * <p><b>Threads and locks.</b> {@code open}, {@code close}, {@code maySplit}, {@code mremap} and
 * {@code mprotect} are called with the address space's lock held for writing, by a thread of the kernel's
 * while the one that made the call waits; the others with it held for reading, mostly on the thread that
 * made the call or the access. Several {@code nopage} calls may run at once. Calling back into the same
 * address space fails with EDEADLK. A driver that calls the kernel with a lock of its own held must not
 * want it in the callback that comes of that. A callback that throws, or that outlasts the device's time
 * limit, costs that call or access only; one that reacts to no interrupt either, its driver: it is
 * quarantined.
 */
@ConsumerType
public interface VmOperations {
  /**
   * A new reference to an area was made: by fork, or by a split, but not by {@code mmap}, where
   * {@link io.faultline.device.MmapProvider#mmap} is called instead (LDD3 p. 421).
   */
  default void open(Vma vma) {}

  /** An area is destroyed. Each area is closed exactly once; there is no count in it. */
  default void close(Vma vma) {}

  /**
   * A process touches a page of a valid area that is not in memory (LDD3 p. 422).
   *
   * @param vma the area
   * @param address the faulting address in bytes, rounded down to its page
   * @param access what the process does
   * @return a page with its fault type, on which the driver has taken a reference for the kernel
   *     ({@link Page#get}); or {@link Nopage#SIGBUS} or {@link Nopage#OOM}
   */
  default Nopage nopage(Vma vma, long address, Access access) {
    return Nopage.SIGBUS;
  }

  /**
   * Prefaults pages (LDD3 p. 422), for {@code MAP_POPULATE}, {@code mlock} and {@code
   * MADV_POPULATE_*}. Where it is not overridden the kernel calls {@link #nopage} page by page.
   *
   * @param vma the area
   * @param address first byte, aligned to a page
   * @param length in bytes, a multiple of the page size; the range lies within the area
   * @param protection what the pages will be used for
   * @param pageOffset the page of the file at {@code address}
   * @param nonblock true when the driver must not wait for I/O
   * @param pages puts pages into the area
   * @throws ErrnoException when the range cannot be populated
   */
  default void populate(
      Vma vma,
      long address,
      long length,
      Protection protection,
      long pageOffset,
      boolean nonblock,
      PageMapper pages)
      throws ErrnoException {
    throw new ErrnoException(Errno.ENOSYS, "populate: not overridden");
  }

  /**
   * Fault-around ({@code map_pages}): before a read fault asks {@link #nopage}, the driver may map
   * what it has at hand near the address.
   *
   * @param vma the area
   * @param firstPage page of the file, inclusive
   * @param lastPage page of the file, inclusive
   * @param pages puts pages into the area
   */
  default void mapPages(Vma vma, long firstPage, long lastPage, PageMapper pages) {}

  /**
   * A page of a shared area that was mapped read-only is about to become writable ({@code
   * page_mkwrite}). Later stores into the page are not heard of, until {@link
   * io.faultline.device.OpenFile#writeProtect} takes the right away again. Several threads may call for one
   * page at once, and one thread again at once where the page was protected meanwhile.
   *
   * @return {@link Nopage#SIGBUS} to refuse, {@code Nopage.minor(page)} to allow
   */
  default Nopage pageMkwrite(Vma vma, long address, Page page) {
    return Nopage.minor(page);
  }

  /**
   * May the area be split at an address? ({@code may_split})
   *
   * @param address aligned to a page, strictly within the area
   * @throws ErrnoException to refuse; the system call fails with its errno
   */
  default void maySplit(Vma vma, long address) throws ErrnoException {}

  /**
   * The area was moved ({@code mremap}).
   *
   * @param vma the area at its new place
   * @throws ErrnoException to refuse; the move is undone
   */
  default void mremap(Vma vma) throws ErrnoException {}

  /**
   * The protection of a part of the area is about to change ({@code mprotect}).
   *
   * @param start first byte of the part
   * @param end first byte behind it
   * @param flags the flags it will have
   * @throws ErrnoException to refuse
   */
  default void mprotect(Vma vma, long start, long end, VmFlags flags) throws ErrnoException {}

  /**
   * A debugger reads or writes memory that has no pages ({@code access}).
   *
   * @param buffer filled by a read, the source of a write
   * @param write the direction
   * @return the number of bytes that were copied
   * @throws ErrnoException when none can be
   */
  default int access(Vma vma, long address, MemorySegment buffer, boolean write)
      throws ErrnoException {
    throw new ErrnoException(Errno.EIO, "access: not overridden");
  }

  /** A name for {@code /proc/PID/maps}, for areas with no file, or null for none. */
  default @Nullable String name(Vma vma) {
    return null;
  }
}
