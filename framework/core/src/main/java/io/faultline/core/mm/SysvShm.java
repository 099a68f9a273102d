// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SHIFT;
import static io.faultline.mm.Mman.PROT_EXEC;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static io.faultline.mm.Mman.SHM_EXEC;
import static io.faultline.mm.Mman.SHM_RDONLY;
import static io.faultline.mm.Mman.SHM_REMAP;
import static io.faultline.mm.Mman.SHM_RND;

import io.faultline.core.area.Area;
import io.faultline.core.device.OpenFileObject;
import io.faultline.device.AccessMode;
import io.faultline.kernel.KernelObjects;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** System V shared memory: {@code shmget}, {@code shmat}, {@code shmdt}. Segments are kernel-wide. */
public final class SysvShm {
  /** The largest segment, {@code SHMMAX}. */
  private static final long MAX_BYTES = Long.MAX_VALUE >>> 1;

  private record Segment(SharedMemoryObject object, long size) {}

  private final AtomicInteger ids = new AtomicInteger();
  private final ConcurrentMap<Integer, Segment> segments = new ConcurrentHashMap<>();

  /** A new private segment. */
  public int get(AddressSpace space, long size) throws ErrnoException {
    if (size <= 0 || size > MAX_BYTES) {
      throw Args.invalid("size: " + size + " is no size of a segment");
    }
    SharedMemoryObject object =
        space
            .services()
            .sharedMemory()
            .create(space, Args.pageAlign(size), false, KernelObjects.Kind.SYSV_SEGMENT);
    int id = ids.getAndIncrement();
    segments.put(id, new Segment(object, size));
    return id;
  }

  /** {@code IPC_RMID}: its pages go with the last attachment. */
  public void remove(int id) throws ErrnoException {
    Segment segment = segments.remove(id);
    if (segment == null) {
      throw Args.invalid("id: no segment " + id);
    }
    segment.object().file().release();
  }

  /** {@code do_shmat}. The space's lock is held for writing. */
  public MmapResult attach(AddressSpace space, int id, long wish, int flags)
      throws ErrnoException {
    long address = wish;
    if (address != 0 && !Args.aligned(address)) {
      if ((flags & SHM_RND) == 0) {
        throw Args.invalid("address: not a multiple of 4096, and no SHM_RND");
      }
      address = Args.pageStart(address);
    }
    // A wish that is rounded down to 0 is an order all the same.
    boolean fixed = wish != 0;
    if (address == 0 && (flags & SHM_REMAP) != 0) {
      throw Args.invalid("flags: SHM_REMAP needs an address");
    }
    Segment segment = segments.get(id);
    if (segment == null) {
      throw Args.invalid("id: no segment " + id);
    }
    long bytes = Args.pageAlign(segment.size());
    if (address != 0
        && (flags & SHM_REMAP) == 0
        // The segment's own size here, not that of its pages: ENOMEM comes later for the latter.
        && (Args.below(address + segment.size(), address)
            || space.areas().findIntersection(address, address + bytes) != null)) {
      throw Args.invalid("address: something is mapped there");
    }
    boolean readOnly = (flags & SHM_RDONLY) != 0;
    int prot =
        PROT_READ | (readOnly ? 0 : PROT_WRITE) | ((flags & SHM_EXEC) != 0 ? PROT_EXEC : 0);
    // Each attachment is an open file of its own; the segment's pages are the inode's.
    OpenFileObject file =
        space
            .services()
            .devices()
            .open(
                segment.object().file().inode(),
                readOnly ? AccessMode.READ_ONLY : AccessMode.READ_WRITE,
                false);
    try {
      return MmapOperation.mmap(
          space,
          new MmapCall(
              address, bytes, prot, MAP_SHARED | (fixed ? MAP_FIXED : 0), file, 0, 0));
    } finally {
      file.release();
    }
  }

  /** {@code ksys_shmdt}. The space's lock is held for writing. */
  public void detach(AddressSpace space, long address) throws ErrnoException {
    Args.requireAligned("address", address);
    OpenFileObject file = null;
    long limit = Long.MAX_VALUE;
    Area area = space.areas().find(address);
    while (area != null && area.end() - address <= limit) {
      Area next = space.areas().next(area);
      OpenFileObject segment = segmentFile(area);
      boolean fragment = (area.start() - address) >>> PAGE_SHIFT == area.pageOffset();
      if (segment != null && fragment && (file == null || file == segment)) {
        file = segment;
        limit = Args.pageAlign(segment.inode().size());
        try {
          MunmapOperation.unmap(space, area.start(), area.end());
        } catch (ErrnoException refused) {
          // A sealed fragment stays, and the others go all the same.
        }
      }
      area = next;
    }
    if (file == null) {
      throw new ErrnoException(Errno.EINVAL, "address: no segment is attached there");
    }
  }

  private static @Nullable OpenFileObject segmentFile(Area area) {
    return area.mappedFile() instanceof OpenFileObject file
        && file.inode().provider() instanceof SharedMemoryProvider memory
        && memory.isSegment()
            ? file
            : null;
  }
}
