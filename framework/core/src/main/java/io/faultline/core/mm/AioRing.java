// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;

import io.faultline.core.area.Area;
import io.faultline.kernel.KernelObjects;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;

/**
 * The ring of {@code io_setup(2)}: a shared mapping that may not grow ({@code aio_setup_ring}). Only
 * its memory is simulated; no request can be submitted. The space's lock is held for writing.
 */
public final class AioRing {
  private static final int HEADER_BYTES = 32;
  private static final int EVENT_BYTES = 32;
  private static final int PROCESSORS = 2;

  private AioRing() {}

  public static MmapResult setup(AddressSpace space, int events) throws ErrnoException {
    if (events <= 0) {
      throw Args.invalid("events: must be positive");
    }
    long slots = Math.max(events, PROCESSORS * 4L) * 2 + 2;
    long bytes = Args.pageAlign(HEADER_BYTES + EVENT_BYTES * slots);
    SharedMemoryObject object =
        space.services().sharedMemory().create(space, bytes, true, KernelObjects.Kind.AIO_RING);
    long length = object.file().inode().size();
    try {
      return MmapOperation.mmap(
          space,
          new MmapCall(
              0, length, PROT_READ | PROT_WRITE, MAP_SHARED, object.file(), 0, 0));
    } finally {
      object.file().release();
    }
  }

  public static void destroy(AddressSpace space, long context) throws ErrnoException {
    Area area = space.areas().findAt(context);
    if (area == null
        || area.start() != context
        || area.mappedFile() == null
        || !(area.mappedFile().inode().provider() instanceof SharedMemoryProvider ring)
        || !ring.isRing()) {
      throw new ErrnoException(Errno.EINVAL, "context: no ring is at that address");
    }
    MunmapOperation.munmap(
        space, context, ring.pages() << Mman.PAGE_SHIFT);
  }
}
