// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/** One process at work: random accesses, each checked. Confined to one thread, but for its count. */
final class Worker {
  private static final int PAGE_LONGS = 512;
  /** Accesses between two visitors. */
  private static final int VISIT_EVERY = 4096;
  private static final int VISIT_READS = 64;
  private static final int VISIT_WRITES = 8;

  private final PressureKernel kernel;
  private final Task task;
  private final UserMemory memory;
  private final List<Region> regions;
  private final long pages;
  private final long seed;
  private final SplittableRandom random;
  private final Content content = new Content();
  private final Trouble trouble;
  private final AtomicLong accesses = new AtomicLong();

  Worker(
      PressureKernel kernel, Task task, List<Region> regions, long seed, int number,
      Trouble trouble) {
    this.kernel = kernel;
    this.task = task;
    this.memory = task.newCpu();
    this.regions = List.copyOf(regions);
    this.pages = regions.stream().mapToLong(Region::pages).sum();
    this.seed = seed;
    this.random = new SplittableRandom(Content.key(seed, -1, number, 0));
    this.trouble = trouble;
  }

  Task task() {
    return task;
  }

  /** What it shares with nobody. */
  Region own() {
    return regions.getLast();
  }

  /** How many so far; of pages, or of eight bytes of one. */
  long accesses() {
    return accesses.get();
  }

  /** Writes version 0 of every page of a region. */
  void fill(Region region) {
    guarded(region, () -> {
      for (int page = 0; page < region.pages() && trouble.isNone(); page++) {
        memory.write(region.address(page), content.page(region.key(seed, page)));
        accesses.incrementAndGet();
      }
    });
  }

  /** Reads every page that the process has. */
  void checkAll() {
    regions.forEach(this::checkAll);
  }

  /** Reads every page of a region. */
  void checkAll(Region region) {
    guarded(region, () -> {
      for (int page = 0; page < region.pages() && trouble.isNone(); page++) {
        checkWhole(memory, region, page);
      }
    });
  }

  /** Goes on until the time is up or something is wrong. */
  void work(long end) {
    for (long n = 1; System.nanoTime() - end < 0 && trouble.isNone(); n++) {
      long any = random.nextLong(pages);
      Region region = regions.getFirst();
      for (Region one : regions) {
        region = one;
        if (any < one.pages()) {
          break;
        }
        any -= one.pages();
      }
      int page = (int) any;
      Region chosen = region;
      guarded(region, () -> access(chosen, page));
      if (n % VISIT_EVERY == 0) {
        visit();
      }
    }
  }

  private void access(Region region, int page) {
    ReentrantLock lock = region.lock(page);
    lock.lock();
    try {
      int what = random.nextInt(100);
      if (what < 30 && region.mayWrite(page)) {
        memory.write(region.address(page), content.page(region.nextKey(seed, page)));
        region.written(page);
        accesses.incrementAndGet();
      } else if (what < 65) {
        checkWhole(memory, region, page);
      } else {
        int index = random.nextInt(PAGE_LONGS);
        long expected = Content.at(region.key(seed, page), index);
        long found = memory.getLong(region.address(page) + (long) index * Long.BYTES);
        accesses.incrementAndGet();
        if (found != expected) {
          wrong(region, page, (long) index * Long.BYTES);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void checkWhole(UserMemory view, Region region, int page) {
    ReentrantLock lock = region.lock(page);
    lock.lock();
    try {
      view.read(region.address(page), content.buffer());
      accesses.incrementAndGet();
      long where = content.mismatch(region.key(seed, page));
      if (where >= 0) {
        wrong(region, page, where);
      }
    } finally {
      lock.unlock();
    }
  }

  /** A child for a moment: sees what its parent has, writes to copies, and leaves no trace. */
  private void visit() {
    Task child;
    try {
      child = kernel.tasks().fork(task);
    } catch (ErrnoException e) {
      trouble.tell(task.name() + ": fork failed: " + e.getMessage());
      return;
    }
    Region own = own();
    guarded(own, () -> {
      UserMemory view = child.newCpu();
      for (int i = 0; i < VISIT_READS; i++) {
        checkWhole(view, own, random.nextInt(own.pages()));
      }
      for (int i = 0; i < VISIT_WRITES; i++) {
        int page = random.nextInt(own.pages());
        long value = random.nextLong();
        view.putLong(own.address(page), value);
        if (view.getLong(own.address(page)) != value) {
          wrong(own, page, 0);
        }
        checkWhole(memory, own, page);
      }
    });
    kernel.tasks().exit(child, 0);
  }

  private void wrong(Region region, int page, long where) {
    trouble.tell(
        "WRONG: %s (pid %d): page %d of its %s pages, address 0x%x, differs from byte %d on"
            .formatted(task.name(), task.pid(), page, region.name(), region.address(page), where));
  }

  private void guarded(Region region, Runnable accesses) {
    try {
      accesses.run();
    } catch (SignalException e) {
      trouble.tell(
          "REFUSED: %s (pid %d): %s pages: %s".formatted(
              task.name(), task.pid(), region.name(), e.getMessage()));
    }
  }
}
