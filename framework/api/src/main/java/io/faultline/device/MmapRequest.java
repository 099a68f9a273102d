// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.PageMapper;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What {@code mmap(2)} asks of a driver, and where the driver puts its answers; {@code struct
 * vm_area_desc} of Linux 6.17. Good only until {@link MmapProvider#mmap} returns, and only on the
 * thread that called it.
 */
@ProviderType
public interface MmapRequest extends PageMapper {
  /** First byte of the chosen range. */
  long start();

  /** First byte behind it. */
  long end();

  /** Length in bytes, a multiple of the page size. */
  default long length() {
    return end() - start();
  }

  /** The offset into the file, in pages. */
  long pageOffset();

  /** Changes the offset, in pages: what the area will show and what {@code nopage} works with. */
  void setPageOffset(long pages);

  /** The flags as they stand. */
  VmFlags flags();

  /** Adds flags. {@link VmFlag#IO}, {@link VmFlag#RESERVED} and {@link VmFlag#DONTEXPAND}, say. */
  void addFlags(VmFlag... flags);

  /**
   * Takes flags away: {@link VmFlag#MAYWRITE}, say, so that mprotect cannot make it writable.
   *
   * @throws IllegalArgumentException for {@link VmFlag#SHARED} and {@link VmFlag#MAYSHARE}
   */
  void removeFlags(VmFlag... flags);

  /** Attaches the driver's operations. An area left without any answers every fault with SIGBUS. */
  void setOperations(VmOperations operations);

  /** Sets the private data of the area. */
  void setPrivateData(@Nullable Object data);

  /** The process that maps. */
  int pid();

  /**
   * Makes the area anonymous memory though it has a file, as {@code /dev/zero} does for private
   * mappings ({@code vma_set_anonymous}): the kernel supplies zero-filled pages. The area keeps its
   * file and page offset, and {@code /proc/PID/maps} shows them.
   */
  void setAnonymous();

  /**
   * Puts a new object of shared memory in the file's place, as {@code /dev/zero} does for shared
   * mappings ({@code shmem_zero_setup}). The object is as long as the area and begins at 0, while the
   * area keeps its page offset: with an offset of <i>n</i> pages the area's last <i>n</i> pages lie
   * behind the object's end and answer with SIGBUS (so does Linux 6.18).
   *
   * @throws ErrnoException ENOMEM when there is no memory of that size
   */
  void setSharedMemory() throws ErrnoException;

  /**
   * Makes the area a mapping of the file's page cache ({@code generic_file_mmap}): the kernel answers
   * all its faults with the pages that {@code read} and {@code write} work on.
   *
   * @throws ErrnoException ENODEV when the inode has no {@linkplain Inode#pageCache page cache}
   */
  void setPageCache() throws ErrnoException;

  /**
   * Maps consecutive frames at once: {@code remap_pfn_range} (LDD3 p. 424), and {@code
   * io_remap_pfn_range} for frames of an {@link IoRegion}. Sets IO, PFNMAP, DONTEXPAND and DONTDUMP. The
   * frames are not reference counted by the area; the driver keeps them
   * until the area is closed. For a private mapping that may be written the area's page offset
   * becomes the frame's number, from which the kernel tells copied pages from the driver's.
   *
   * @param address first byte, aligned to a page, within the range
   * @param frame the first frame's number
   * @param length in bytes; rounded up to pages
   * @throws ErrnoException EINVAL when the range leaves the area, or for a private mapping that may
   *     be written (copy on write) does not cover all of it, or when a frame is not the driver's;
   *     EBUSY when another device of the bundle serves the {@link IoRegion}; ENOMEM when there is no
   *     memory for page tables, which in this kernel comes from a reserve: but the test kit says so
   */
  void remapPfnRange(long address, long frame, long length) throws ErrnoException;
}
