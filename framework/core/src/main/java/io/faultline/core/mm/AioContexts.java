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
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of {@code io_setup(2)} that a process has ({@code struct kioctx_table}). A context is
 * known by where its ring is mapped, a shared mapping that may not grow ({@code aio_setup_ring}); when
 * the ring is moved, the context's name moves along. Only the ring's memory is simulated; no request
 * can be submitted. A fork's child has the mapping but no context. The space's lock is held for
 * writing.
 */
public final class AioContexts {
  /** {@code fs.aio-max-nr}. */
  private static final int MOST_EVENTS = 65536;

  private static final long MOST_SLOTS = 0x1000_0000L / 32;
  private static final int HEADER_BYTES = 32;
  private static final int EVENT_BYTES = 32;
  private static final int PROCESSORS = 2;

  private final List<@Nullable Context> table = new ArrayList<>();

  AioContexts() {}

  private static final class Context {
    private final SharedMemoryProvider ring;
    private long base;
    private final long bytes;
    /** What it counts for in {@code fs.aio-nr}. */
    private final long events;

    Context(SharedMemoryProvider ring, long base, long bytes, long events) {
      this.events = events;
      this.ring = ring;
      this.base = base;
      this.bytes = bytes;
    }
  }

  /** The address of a new context's ring. */
  public static long setup(AddressSpace space, int events) throws ErrnoException {
    if (events == 0) {
      throw Args.invalid("events: must be positive");
    }
    long asked = events & 0xffff_ffffL;
    // The number is one of 32 bits when it is doubled.
    long slots = Math.max(asked, PROCESSORS * 4L) * 2 & 0xffff_ffffL;
    if (slots > MOST_SLOTS) {
      throw Args.invalid("events: " + asked + " are too many for a ring");
    }
    if (slots == 0 || asked > MOST_EVENTS) {
      throw new ErrnoException(Errno.EAGAIN, "events: more than fs.aio-max-nr, " + MOST_EVENTS);
    }
    AtomicLong inUse = space.services().aioEvents();
    if (inUse.addAndGet(asked) > MOST_EVENTS) {
      inUse.addAndGet(-asked);
      throw new ErrnoException(
          Errno.EAGAIN, "events: all contexts together may have fs.aio-max-nr, " + MOST_EVENTS);
    }
    boolean done = false;
    try {
      long base = setup(space, asked, slots);
      done = true;
      return base;
    } finally {
      if (!done) {
        inUse.addAndGet(-asked);
      }
    }
  }

  private static long setup(AddressSpace space, long events, long slots) throws ErrnoException {
    long bytes = Args.pageAlign(HEADER_BYTES + EVENT_BYTES * (slots + 2));
    SharedMemoryObject object =
        space.services().sharedMemory().create(space, bytes, true, KernelObjects.Kind.AIO_RING);
    long length = object.file().inode().size();
    try {
      long base =
          MmapOperation.mmap(
              space,
              new MmapCall(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, object.file(), 0, 0))
              .address();
      space.aio().add(space.pid(), object.provider(), base, length, events);
      return base;
    } catch (ErrnoException refused) {
      object.provider().truncate();
      throw Args.noMemory("events: the ring cannot be mapped: " + refused.getMessage());
    } finally {
      object.file().release();
    }
  }

  private void add(int pid, SharedMemoryProvider ring, long base, long length, long events) {
    Context context = new Context(ring, base, length, events);
    int id = table.indexOf(null);
    if (id < 0) {
      id = table.size();
      table.add(context);
    } else {
      table.set(id, context);
    }
    ring.becomeRing(id, area -> moved(pid, context, area));
  }

  /** {@code aio_ring_mremap}: the context is where its ring is now; a child has none to move. */
  private void moved(int pid, Context context, Vma area) throws ErrnoException {
    if (area.pid() != pid || !table.contains(context)) {
      throw Args.invalid("oldAddress: the ring of a context that this process has not");
    }
    context.base = area.start();
  }

  /**
   * {@code io_destroy}: the context, its ring, and what is mapped where the ring was.
   *
   * @param id what the first word of the ring says, which the program may have changed
   */
  public static void destroy(AddressSpace space, long address, int id) throws ErrnoException {
    List<@Nullable Context> table = space.aio().table;
    Context context = id >= 0 && id < table.size() ? table.get(id) : null;
    if (context == null || context.base != address) {
      throw Args.invalid("context: there is none with its ring at that address");
    }
    table.set(id, null);
    space.services().aioEvents().addAndGet(-context.events);
    context.ring.truncate();
    try {
      MunmapOperation.munmap(space, address, context.bytes);
    } catch (ErrnoException refused) {
      // Sealed, or no room to split: what is mapped there stays.
    }
    forgetPages(space, context);
  }

  /** All contexts of a process that ends ({@code exit_aio}). */
  void destroyAll(AddressSpace space) {
    for (Context context : table) {
      if (context != null) {
        space.services().aioEvents().addAndGet(-context.events);
        context.ring.truncate();
      }
    }
    table.clear();
  }

  /** What is left of the ring, moved or split off, lies beyond the end of its file now. */
  private static void forgetPages(AddressSpace space, Context context) {
    for (Area area = space.areas().first(); area != null; area = space.areas().next(area)) {
      if (area.mappedFile() != null
          && area.mappedFile().inode().provider() == context.ring) {
        PageZapper.zap(space, area.start(), area.end(), false);
      }
    }
  }
}
