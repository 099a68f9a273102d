// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.mm.Errno;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalCode;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A process as a map from page number to page. Each method is told what the engine answered, fails when
 * that cannot be, and does to its pages what the call does. Addresses are page numbers.
 *
 * <p>It knows no areas. Where Linux's answer depends on them alone, it accepts both answers and asks
 * {@link AreaEnds} whether the one that came is the right one.
 */
final class NaiveProcess {
  /** Says where the engine's area ends that holds a page. */
  @FunctionalInterface
  interface AreaEnds {
    /** The first page behind the area. */
    long endOf(long page);
  }

  /** The first page that the kernel may choose. */
  static final long LOWEST = 16;
  /** The page at which the heap begins. */
  static final long HEAP = 1L << 32;
  /** The first page above those that the kernel chooses; few, so that mappings meet. */
  static final long MMAP_BASE = HEAP + 64;
  static final long USER_SPACE = 0x7fff_ffff_f000L >>> Mman.PAGE_SHIFT;

  final TreeMap<Long, NaivePage> pages = new TreeMap<>();
  /** The end of the heap, in bytes. */
  private long brk = HEAP << Mman.PAGE_SHIFT;

  NaiveProcess fork() {
    NaiveProcess child = new NaiveProcess();
    child.brk = brk;
    pages.forEach((number, page) -> {
      if (!page.dontFork) {
        child.pages.put(number, page.forked());
      }
    });
    return child;
  }

  // ---- accesses ---------------------------------------------------------------------------------

  void read(long page, Answer answer) {
    SignalCode refusal = refusal(page, false);
    if (refusal != null) {
      answer.mustBe(refusal, "read");
      return;
    }
    Cell cell = pages.get(page).contents();
    answer.mustBe(cell == null ? -1 : cell.value, "read");
  }

  void write(long page, long value, Answer answer) {
    SignalCode refusal = refusal(page, true);
    if (refusal != null) {
      answer.mustBe(refusal, "write");
      return;
    }
    answer.mustBe(0, "write");
    pages.get(page).write(value);
  }

  private @Nullable SignalCode refusal(long number, boolean write) {
    NaivePage page = pages.get(number);
    return page == null ? SignalCode.SEGV_MAPERR : page.refusal(write);
  }

  // ---- calls ------------------------------------------------------------------------------------

  /**
   * @param first what the first page of the mapping is to be
   * @param writableFile whether the file, if there is one, is open for writing
   */
  void mmap(
      long hint, int count, int flags, NaivePage first, boolean writableFile, Answer answer) {
    if (count == 0) {
      answer.mustBe(Errno.EINVAL, "mmap: length 0");
      return;
    }
    boolean noReplace = (flags & Mman.MAP_FIXED_NOREPLACE) != 0;
    if (noReplace && !free(hint, count)) {
      answer.mustBe(Errno.EEXIST, "mmap: MAP_FIXED_NOREPLACE");
      return;
    }
    if (first.shared && first.writable() && !writableFile) {
      answer.mustBe(Errno.EACCES, "mmap: the file is not open for writing");
      return;
    }
    long start = noReplace || (flags & Mman.MAP_FIXED) != 0 ? hint : placed(hint, count);
    answer.mustBe(start << Mman.PAGE_SHIFT, "mmap: place");
    remove(start, count);
    first.lock((flags & Mman.MAP_LOCKED) != 0, false);
    extend(start, count, first, 0);
    if ((flags & (Mman.MAP_LOCKED | Mman.MAP_POPULATE)) != 0) {
      populateUntilRefused(start, count);
    }
  }

  void munmap(long start, int count, Answer answer) {
    if (count == 0) {
      answer.mustBe(Errno.EINVAL, "munmap: length 0");
      return;
    }
    answer.mustBe(0, "munmap");
    remove(start, count);
  }

  void mprotect(long start, int count, int prot, Answer answer) {
    for (long number = start; number < start + count; number++) {
      NaivePage page = pages.get(number);
      if (page == null) {
        answer.mustBe(Errno.ENOMEM, "mprotect: a hole");
        return;
      }
      if ((prot & Mman.PROT_WRITE) != 0 && !page.mayWrite) {
        answer.mustBe(Errno.EACCES, "mprotect: must not become writable");
        return;
      }
      boolean becomesWritable = !page.writable() && (prot & Mman.PROT_WRITE) != 0;
      page.prot = prot;
      if (page.locked && !page.lockedOnFault && !page.shared && becomesWritable) {
        boolean unused = page.populate();
      }
    }
    answer.mustBe(0, "mprotect");
  }

  void brk(long address, Answer answer) {
    long origin = brk;
    long oldEnd = pageAbove(origin);
    long newEnd = pageAbove(address);
    if (address < HEAP << Mman.PAGE_SHIFT) {
      answer.mustBe(origin, "brk: below the heap");
    } else if (newEnd < oldEnd && free(newEnd, oldEnd - newEnd)) {
      answer.mustBe(origin, "brk: nothing to unmap");
    } else if (newEnd > oldEnd && !free(oldEnd, newEnd + 1 - oldEnd)) {
      answer.mustBe(origin, "brk: something is in the way");
    } else {
      answer.mustBe(address, "brk");
      brk = address;
      if (newEnd < oldEnd) {
        remove(newEnd, oldEnd - newEnd);
      } else {
        int prot = Mman.PROT_READ | Mman.PROT_WRITE;
        extend(
            oldEnd, newEnd - oldEnd, new NaivePage(NaiveObject.ZEROS, 0, false, true, prot), 0);
      }
    }
  }

  private static long pageAbove(long address) {
    return (address + Mman.PAGE_SIZE - 1) >>> Mman.PAGE_SHIFT;
  }

  void mlock(long start, int count, boolean onFault, Answer answer) {
    for (long number = start; number < start + count; number++) {
      NaivePage page = pages.get(number);
      if (page == null) {
        answer.mustBe(Errno.ENOMEM, "mlock: a hole");
        return;
      }
      page.lock(true, onFault);
    }
    if (!onFault && !populateUntilRefused(start, count)) {
      answer.mustBe(Errno.ENOMEM, "mlock: a page cannot be had");
      return;
    }
    answer.mustBe(0, "mlock");
  }

  void munlock(long start, int count, Answer answer) {
    for (long number = start; number < start + count; number++) {
      NaivePage page = pages.get(number);
      if (page == null) {
        answer.mustBe(Errno.ENOMEM, "munlock: a hole");
        return;
      }
      page.lock(false, false);
    }
    answer.mustBe(0, "munlock");
  }

  void msync(long start, int count, int flags, Answer answer) {
    boolean hole = false;
    for (long number = start; number < start + count; number++) {
      NaivePage page = pages.get(number);
      if (page != null && page.locked && (flags & Mman.MS_INVALIDATE) != 0) {
        answer.mustBe(Errno.EBUSY, "msync: locked");
        return;
      }
      if (page != null && (flags & Mman.MS_SYNC) != 0 && page.shared && page.mayWrite
          && page.object.kind == NaiveObject.Kind.DEVICE) {
        answer.mustBe(Errno.EINVAL, "msync: a device has no fsync");
        return;
      }
      hole |= page == null;
      if (hole && flags == Mman.MS_ASYNC) {
        break;
      }
    }
    if (hole) {
      answer.mustBe(Errno.ENOMEM, "msync: a hole");
    } else {
      answer.mustBe(0, "msync");
    }
  }

  void populate(long start, int count, boolean write, Answer answer) {
    for (long number = start; number < start + count; number++) {
      NaivePage page = pages.get(number);
      if (page == null) {
        answer.mustBe(Errno.ENOMEM, "populate: a hole");
        return;
      }
      int needed = write ? Mman.PROT_WRITE : Mman.PROT_READ;
      if ((page.prot & needed) == 0 || page.executeOnly()) {
        answer.mustBe(Errno.EINVAL, "populate: not allowed");
        return;
      }
      if (page.guard || page.contents() == null) {
        answer.mustBe(Errno.EFAULT, "populate: no page can be had");
        return;
      }
      if (write) {
        boolean unused = page.populate();
      }
    }
    answer.mustBe(0, "populate");
  }

  /** All other advice: goes on behind holes, and tells of them at the end. */
  void madvise(long start, int count, int advice, Answer answer) {
    boolean hole = false;
    for (long number = start; number < start + count; number++) {
      NaivePage page = pages.get(number);
      if (page == null) {
        hole = true;
        continue;
      }
      Errno refused = advise(page, advice);
      if (refused != null) {
        answer.mustBe(refused, "madvise " + advice);
        return;
      }
    }
    if (hole) {
      answer.mustBe(Errno.ENOMEM, "madvise: a hole");
    } else {
      answer.mustBe(0, "madvise " + advice);
    }
  }

  private static @Nullable Errno advise(NaivePage page, int advice) {
    switch (advice) {
      case Mman.MADV_DONTNEED:
        if (page.locked) {
          return Errno.EINVAL;
        }
        page.own = null;
        return null;
      case Mman.MADV_DONTNEED_LOCKED:
        page.own = null;
        return null;
      case Mman.MADV_DONTFORK:
        page.dontFork = true;
        return null;
      case Mman.MADV_DOFORK:
        page.dontFork = false;
        return null;
      case Mman.MADV_WIPEONFORK:
        if (!page.anonymous()) {
          return Errno.EINVAL;
        }
        page.wipeOnFork = true;
        return null;
      case Mman.MADV_KEEPONFORK:
        page.wipeOnFork = false;
        return null;
      case Mman.MADV_REMOVE:
        return punch(page);
      case Mman.MADV_GUARD_INSTALL:
        if (page.locked) {
          return Errno.EINVAL;
        }
        page.own = null;
        page.guard = true;
        return null;
      case Mman.MADV_GUARD_REMOVE:
        page.guard = false;
        return null;
      default:
        throw new IllegalArgumentException("advice: " + advice);
    }
  }

  private static @Nullable Errno punch(NaivePage page) {
    if (page.locked || page.anonymous()) {
      return Errno.EINVAL;
    }
    if (!page.shared || !page.mayWrite) {
      return Errno.EACCES;
    }
    if (page.object.kind == NaiveObject.Kind.DEVICE) {
      return Errno.ENODEV;
    }
    Cell cell = page.contents();
    if (cell != null) {
      cell.value = 0;
    }
    return null;
  }

  // ---- mremap -----------------------------------------------------------------------------------

  /** The arguments of an mremap, in pages. */
  record Remap(long start, int oldCount, int newCount, int flags, long target) {
    boolean fixed() {
      return (flags & Mman.MREMAP_FIXED) != 0;
    }

    boolean mayMove() {
      return (flags & Mman.MREMAP_MAYMOVE) != 0;
    }

    boolean dontUnmap() {
      return (flags & Mman.MREMAP_DONTUNMAP) != 0;
    }

    boolean overlaps() {
      return target < start + oldCount && start < target + newCount;
    }

    int kept() {
      return Math.min(oldCount, newCount);
    }
  }

  void mremap(Remap call, AreaEnds areaEnds, Answer answer) {
    if (call.newCount == 0) {
      answer.mustBe(Errno.EINVAL, "mremap: new length 0");
    } else if (call.fixed() || call.dontUnmap()) {
      mremapTo(call, areaEnds, answer);
    } else if (!pages.containsKey(call.start)) {
      answer.mustBe(Errno.EFAULT, "mremap: nothing there");
    } else if (call.newCount <= call.oldCount) {
      answer.mustBe(call.start << Mman.PAGE_SHIFT, "mremap: shrink");
      remove(call.start + call.newCount, call.oldCount - call.newCount);
    } else if (mayRefuse(call, areaEnds, answer)) {
      grow(call, answer);
    }
  }

  private void mremapTo(Remap call, AreaEnds areaEnds, Answer answer) {
    if (!call.mayMove()
        || (call.dontUnmap() && call.oldCount != call.newCount)
        || call.overlaps()) {
      answer.mustBe(Errno.EINVAL, "mremap: flags and ranges");
      return;
    }
    if (!pages.containsKey(call.start)) {
      answer.mustBe(Errno.EFAULT, "mremap: nothing there");
      return;
    }
    if (call.fixed() && call.oldCount == call.newCount) {
      answer.mustBe(call.target << Mman.PAGE_SHIFT, "mremap: move");
      move(call, call.target, call.oldCount);
      return;
    }
    if (!mayRefuse(call, areaEnds, answer)) {
      return;
    }
    if (call.fixed()) {
      remove(call.target, call.newCount);
      if (!pages.containsKey(call.start)) {
        answer.mustBe(Errno.EFAULT, "mremap: unmapped what it was to copy");
        return;
      }
    }
    long to = call.fixed() ? call.target : placed(call.target, call.newCount);
    answer.mustBe(to << Mman.PAGE_SHIFT, "mremap: place");
    moveAndGrow(call, to);
    if (call.oldCount > call.newCount) {
      remove(call.start + call.newCount, call.oldCount - call.newCount);
    }
  }

  /**
   * The checks of a range that must lie in one area.
   *
   * @return whether the call went on
   */
  private boolean mayRefuse(Remap call, AreaEnds areaEnds, Answer answer) {
    NaivePage first = pages.get(call.start);
    if (call.oldCount == 0 && !first.shared) {
      answer.mustBe(Errno.EINVAL, "mremap: duplicates private memory");
      return false;
    }
    for (int i = 0; i < call.kept(); i++) {
      NaivePage page = pages.get(call.start + i);
      if (page == null || !page.alike(first, i)) {
        answer.mustBe(Errno.EFAULT, "mremap: more than one area");
        return false;
      }
    }
    // A length of 0 fits into any area; it may fail later, when the target takes the source away.
    if (answer.errno() == Errno.EFAULT && call.kept() > 0) {
      assertThat(areaEnds.endOf(call.start)).as("mremap: end of the one area")
          .isLessThan(call.start + call.kept());
      return false;
    }
    return true;
  }

  private void grow(Remap call, Answer answer) {
    int delta = call.newCount - call.oldCount;
    NaivePage first = pages.get(call.start);
    if (free(call.start + call.oldCount, delta)) {
      answer.mustBe(call.start << Mman.PAGE_SHIFT, "mremap: grows in place");
      extend(call.start + call.oldCount, delta, first, call.oldCount);
      populateIfLocked(first, call.start + call.oldCount, delta);
    } else if (!call.mayMove()) {
      answer.mustBe(Errno.ENOMEM, "mremap: no room");
    } else {
      long to = placed(0, call.newCount);
      answer.mustBe(to << Mman.PAGE_SHIFT, "mremap: place");
      moveAndGrow(call, to);
    }
  }

  private void moveAndGrow(Remap call, long to) {
    NaivePage first = pages.get(call.start);
    move(call, to, call.kept());
    int delta = call.newCount - call.oldCount;
    if (delta > 0) {
      extend(to + call.oldCount, delta, first, call.oldCount);
      populateIfLocked(first, to + call.oldCount, delta);
    }
  }

  private void populateIfLocked(NaivePage first, long start, int count) {
    if (first.locked && !first.lockedOnFault) {
      boolean unused = populateUntilRefused(start, count);
    }
  }

  /** Holes stay holes: what lies at the target there is left alone. */
  private void move(Remap call, long to, int count) {
    for (int i = 0; i < count; i++) {
      NaivePage page = pages.remove(call.start + i);
      if (page != null) {
        pages.put(to + i, page);
        if (call.dontUnmap()) {
          NaivePage left = page.continued(0);
          left.lock(false, false);
          pages.put(call.start + i, left);
        }
      }
    }
  }

  // ---- pages ------------------------------------------------------------------------------------

  private void remove(long start, long count) {
    pages.subMap(start, start + count).clear();
  }

  /** New pages that continue the mapping of another. */
  private void extend(long start, long count, NaivePage like, long distance) {
    for (long i = 0; i < count; i++) {
      pages.put(start + i, like.continued(distance + i));
    }
  }

  private boolean populateUntilRefused(long start, int count) {
    for (long number = start; number < start + count; number++) {
      if (!pages.get(number).populate()) {
        return false;
      }
    }
    return true;
  }

  boolean free(long start, long count) {
    return pages.subMap(start, start + count).isEmpty();
  }

  /** Where a mapping goes: to a hint that is free, else into the highest gap below the base. */
  private long placed(long hint, int count) {
    if (hint != 0 && hint + count <= USER_SPACE && free(hint, count)) {
      return hint;
    }
    for (long start = MMAP_BASE - count; start >= LOWEST; start--) {
      if (free(start, count)) {
        return start;
      }
    }
    throw new IllegalStateException("no gap of " + count + " pages");
  }
}
