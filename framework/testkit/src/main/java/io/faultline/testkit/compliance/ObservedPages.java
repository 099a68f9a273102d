// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The driver's allocator. While threads fault at once it lets them meet inside {@code allocate}, as an
 * allocation that sleeps would: a driver that looks for a page and makes one in two steps makes two
 * then. One that holds its lock meanwhile lets only one thread in, which waits a few milliseconds.
 */
final class ObservedPages implements PageAllocator {
  private static final int MEET_MILLIS = 20;

  private final PageAllocator pages;
  private final Watch watch;
  private final AtomicReference<@Nullable CyclicBarrier> meeting = new AtomicReference<>();

  ObservedPages(PageAllocator pages, Watch watch) {
    this.pages = pages;
    this.watch = watch;
  }

  /** Lets so many threads meet, until told 0. */
  void meet(int threads) {
    meeting.set(threads == 0 ? null : new CyclicBarrier(threads));
  }

  private void meet() {
    CyclicBarrier barrier = meeting.get();
    if (barrier != null) {
      try {
        barrier.await(MEET_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (Exception alone) {
        // The driver's lock keeps the others out, as it should.
      }
    }
  }

  @Override
  public Page allocate() throws ErrnoException {
    watch.stopIfAbandoned();
    watch.scarcity().ask("allocate");
    meet();
    return pages.allocate();
  }

  @Override
  public List<Page> allocate(int order) throws ErrnoException {
    watch.stopIfAbandoned();
    watch.scarcity().ask("allocate");
    meet();
    return pages.allocate(order);
  }

  @Override
  public MemorySegment segment(List<Page> consecutive) {
    return pages.segment(consecutive);
  }

  @Override
  public long allocated() {
    return pages.allocated();
  }
}
