// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A live area that a driver is asked to take over. Good only until {@link HandOver#adopt(Adoption)}
 * returns, and only on the thread that called it; else {@link IllegalStateException}.
 */
@ProviderType
public interface Adoption {
  /** The area as it is: range, page offset, flags and file do not change. */
  Vma vma();

  /**
   * Which of the driver's devices, as {@link OpenFile#index}: the one that {@link Vma#file} is open
   * on.
   */
  int index();

  /**
   * Whether the area has lost what was mapped in it: after a gap, or after quarantine. In an upgrade
   * nothing is lost. A driver that maps its areas up front does so again where this is true.
   */
  boolean pagesLost();

  /**
   * Attaches the driver's operations; must be called, and takes effect when nobody refuses. Operations
   * without methods are allowed.
   */
  void setOperations(VmOperations operations);

  /**
   * Maps consecutive frames, as {@link MmapRequest#remapPfnRange} does, in the place of what is mapped
   * there; takes effect when nobody refuses. For a driver that comes back after a gap, whose areas have
   * lost their pages; or whose new version shows other frames than the old one.
   *
   * @param address first byte, aligned to a page, within the area
   * @param frame the first frame's number
   * @param length in bytes; rounded up to pages
   * @throws ErrnoException EINVAL when the area was not mapped with {@code remapPfnRange} (a live area's
   *     flags do not change), when the range leaves it or was mapped by this call already, when a frame is
   *     not the driver's, or when the area is private and may be written and the frames are not those that
   *     its page offset tells
   */
  void remapPfnRange(long address, long frame, long length) throws ErrnoException;

  /**
   * Maps a page where nothing is mapped, as {@link MmapRequest#insertPage} does; what is mapped there
   * stays. Takes effect when nobody refuses; the kernel takes a reference of its own.
   *
   * @param address the page's first byte, within the area
   * @throws ErrnoException EINVAL when the area was not mapped with {@code insertPage}, when the address
   *     is not in it, or when the page is freed; EBUSY when a page was inserted there already
   */
  void insertPage(long address, Page page) throws ErrnoException;
}
