// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A driver's operations, each call written down and checked. */
final class ObservedOperations implements VmOperations {
  private final VmOperations operations;
  private final Watch watch;

  ObservedOperations(VmOperations operations, Watch watch) {
    this.operations = operations;
    this.watch = watch;
  }

  private static String of(Vma vma) {
    return "(" + Places.pages(vma.start(), vma.end()) + " of process " + vma.pid() + ")";
  }

  private void counting(String what, int change, Runnable callback) {
    try {
      Object unused = watch.<@Nullable Object>counting(what, change, () -> {
        callback.run();
        return null;
      });
    } catch (ErrnoException e) {
      throw new IllegalStateException("neither open nor close throws it", e);
    }
  }

  @Override
  public void open(Vma vma) {
    counting("open" + of(vma), 1, () -> operations.open(watch.vma(vma)));
  }

  @Override
  public void close(Vma vma) {
    counting("close" + of(vma), -1, () -> operations.close(watch.vma(vma)));
    watch.closed(vma);
  }

  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    String call = "nopage" + of(vma) + " at " + Places.page(address) + ", page "
        + vma.pageOffsetOf(address) + ", " + access;
    Map<Page, Integer> before = watch.references();
    String begun = watch.begin(call);
    Nopage answer;
    try {
      answer = operations.nopage(watch.vma(vma), address, access);
    } catch (RuntimeException | Error thrown) {
      watch.called(call);
      watch.threw(call, thrown);
      throw thrown;
    } finally {
      String unused = watch.begin(begun);
    }
    watch.answered(call, answer, before);
    return answer;
  }

  @Override
  public void populate(
      Vma vma, long address, long length, Protection protection, long pageOffset,
      boolean nonblock, PageMapper pages)
      throws ErrnoException {
    watch.called("populate" + of(vma));
    operations.populate(
        watch.vma(vma), address, length, protection, pageOffset, nonblock, pages);
  }

  @Override
  public void mapPages(Vma vma, long firstPage, long lastPage, PageMapper pages) {
    watch.called("mapPages" + of(vma) + " pages " + firstPage + "-" + lastPage);
    operations.mapPages(watch.vma(vma), firstPage, lastPage, pages);
  }

  @Override
  public Nopage pageMkwrite(Vma vma, long address, Page page) {
    watch.called("pageMkwrite" + of(vma) + " at " + Places.page(address));
    return operations.pageMkwrite(watch.vma(vma), address, page);
  }

  @Override
  public void maySplit(Vma vma, long address) throws ErrnoException {
    watch.called("maySplit" + of(vma) + " at " + Places.page(address));
    operations.maySplit(watch.vma(vma), address);
  }

  @Override
  public void mremap(Vma vma) throws ErrnoException {
    watch.called("mremap" + of(vma));
    operations.mremap(watch.vma(vma));
  }

  @Override
  public void mprotect(Vma vma, long start, long end, VmFlags flags) throws ErrnoException {
    watch.called("mprotect" + of(vma) + " of " + Places.pages(start, end));
    operations.mprotect(watch.vma(vma), start, end, flags);
  }

  @Override
  public int access(Vma vma, long address, MemorySegment buffer, boolean write)
      throws ErrnoException {
    return operations.access(watch.vma(vma), address, buffer, write);
  }

  @Override
  public @Nullable String name(Vma vma) {
    return operations.name(watch.vma(vma));
  }
}
