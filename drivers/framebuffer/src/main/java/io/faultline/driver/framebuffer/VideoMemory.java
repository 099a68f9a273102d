// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import io.faultline.device.DeviceMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The memory of the device: consecutive frames that the kernel keeps for all versions of the driver.
 * Thread-safe; stores and copies of several threads may mix, as on the real device.
 */
final class VideoMemory {
  private final List<Page> pages;
  /** What {@code nopage} answers with; kept, so that a fault makes no object. */
  private final List<Nopage> answers;
  private final MemorySegment bytes;

  private VideoMemory(List<Page> pages, MemorySegment bytes) {
    this.pages = pages;
    this.answers = pages.stream().map(Nopage::minor).toList();
    this.bytes = bytes;
  }

  /**
   * That of the device, as it was left; zeros at first.
   *
   * @param name the device's, and the region's in {@link DeviceMemory}
   * @param order log2 of the number of pages, 0 to 10
   * @throws ErrnoException ENOMEM; EINVAL when the device has memory of another size already
   */
  static VideoMemory of(DeviceMemory memory, String name, int order) throws ErrnoException {
    List<Page> pages;
    try {
      pages = memory.run(name, order);
    } catch (ErrnoException refused) {
      throw new ErrnoException(
          refused.errno(),
          "memory.order: " + order + ": " + refused.getMessage()
              + (refused.errno() == Errno.EINVAL && memory.regions().contains(name)
                  ? "; video memory keeps its size as long as the kernel runs: set memory.order as"
                      + " it was"
                  : ""));
    }
    return new VideoMemory(pages, memory.segment(pages));
  }

  int pages() {
    return pages.size();
  }

  Page page(int index) {
    return pages.get(index);
  }

  long size() {
    return bytes.byteSize();
  }

  MemorySegment bytes() {
    return bytes;
  }

  /** The page at an offset in pages, with a reference for the kernel; SIGBUS behind the end. */
  Nopage nopage(long pageOffset) {
    if (pageOffset < 0 || pageOffset >= pages.size()) {
      return Nopage.SIGBUS;
    }
    int index = (int) pageOffset;
    pages.get(index).get();
    return answers.get(index);
  }

  /** {@code fb_sys_read}: how many bytes; 0 at and behind the end. */
  int read(long position, MemorySegment target) {
    long count = Math.min(target.byteSize(), size() - position);
    if (count <= 0) {
      return 0;
    }
    MemorySegment.copy(bytes, position, target, 0, count);
    return (int) count;
  }

  /**
   * {@code fb_sys_write}: as much as there is room for.
   *
   * @return how many bytes
   * @throws ErrnoException where there is no room for any: EFBIG behind the end, or at the end for
   *     more than the whole memory; else ENOSPC at the end
   */
  int write(long position, MemorySegment source) throws ErrnoException {
    long length = source.byteSize();
    if (position > size()) {
      throw new ErrnoException(
          Errno.EFBIG, "offset: " + position + " is behind the device's " + size() + " bytes");
    }
    long count = Math.min(length, size() - position);
    if (count == 0 && length > 0) {
      throw new ErrnoException(
          length > size() ? Errno.EFBIG : Errno.ENOSPC,
          "offset: the device ends at " + size() + " bytes");
    }
    MemorySegment.copy(source, 0, bytes, position, count);
    return (int) count;
  }

  /** The page that holds a byte. */
  static int pageOf(long position) {
    return (int) (position >>> Mman.PAGE_SHIFT);
  }
}
