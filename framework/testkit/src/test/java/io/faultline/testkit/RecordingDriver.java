// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A driver that writes down every call, and does during a call what the test says. Addresses are
 * written as pages behind {@link #BASE}, the process only where it is not the first. For one thread.
 */
final class RecordingDriver implements MmapProvider {
  /** Where tests map: far from all else. */
  static final long BASE = 0x2000_0000_0000L;

  /** Its memory, in pages. */
  static final int PAGES = 32;

  /** Something that happens inside a callback; what it throws, the driver throws. */
  @FunctionalInterface
  interface Action {
    void run(Vma vma) throws ErrnoException;
  }

  /** Something that happens inside {@code mmap}. */
  @FunctionalInterface
  interface Completion {
    void complete(MmapRequest request) throws ErrnoException;
  }

  private final List<Page> pages = new ArrayList<>();
  private final List<String> calls = new ArrayList<>();
  private final Map<String, Action> actions = new HashMap<>();
  private Completion completion = request -> request.setOperations(everything());

  RecordingDriver(PageAllocator allocator) throws ErrnoException {
    for (int i = 0; i < PAGES; i++) {
      pages.add(allocator.allocate());
    }
  }

  /** Every method that the tests ask for. */
  VmOperations everything() {
    return everything;
  }

  /** {@code nopage} alone. */
  VmOperations nopageAlone() {
    return nopageAlone;
  }

  /** {@code open}, {@code close} and {@code nopage}, as the book's drivers have. */
  VmOperations counting() {
    return counting;
  }

  private final VmOperations nopageAlone = new NopageAlone();
  private final VmOperations counting = new Counting();
  private final VmOperations everything = new Everything();

  /** Completes areas in another way than with {@link #everything}. */
  void completes(Completion how) {
    completion = how;
  }

  /** Does something in each call of that name, after it was written down. */
  void during(String call, Action action) {
    actions.put(call, action);
  }

  /** The calls since the last time. */
  List<String> take() {
    List<String> taken = List.copyOf(calls);
    calls.clear();
    return taken;
  }

  Page page(int number) {
    return pages.get(number);
  }

  static long address(int page) {
    return BASE + (long) page * Mman.PAGE_SIZE;
  }

  static int pageOf(long address) {
    return (int) ((address - BASE) / Mman.PAGE_SIZE);
  }

  static String range(long start, long end) {
    return pageOf(start) + "-" + pageOf(end);
  }

  private void written(String name, Vma vma, String text) {
    calls.add(name + " " + text + (vma.pid() == 1 ? "" : " of process " + vma.pid()));
  }

  private void called(String name, Vma vma, String text) throws ErrnoException {
    written(name, vma, text);
    Action action = actions.get(name);
    if (action != null) {
      action.run(vma);
    }
  }

  private void calledQuietly(String name, Vma vma, String text) {
    try {
      called(name, vma, text);
    } catch (ErrnoException e) {
      throw new IllegalStateException(e.toString());
    }
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    calls.add("mmap " + range(request.start(), request.end()));
    completion.complete(request);
  }

  @Override
  public void release(OpenFile file) {
    calls.add("release");
  }

  private class NopageAlone implements VmOperations {
    @Override
    public @Nullable Nopage nopage(Vma vma, long address, Access access) {
      calledQuietly("nopage", vma, String.valueOf(pageOf(address)));
      long index = vma.pageOffsetOf(address);
      return index < PAGES ? Nopage.minor(page((int) index).get()) : Nopage.SIGBUS;
    }
  }

  private class Counting extends NopageAlone {
    @Override
    public void open(Vma vma) {
      calledQuietly("open", vma, range(vma.start(), vma.end()));
    }

    @Override
    public void close(Vma vma) {
      calledQuietly("close", vma, range(vma.start(), vma.end()));
    }
  }

  private final class Everything extends Counting {
    @Override
    public void maySplit(Vma vma, long address) throws ErrnoException {
      called("maySplit", vma, range(vma.start(), vma.end()) + " at " + pageOf(address));
    }

    @Override
    public void mremap(Vma vma) throws ErrnoException {
      called("mremap", vma, range(vma.start(), vma.end()));
    }

    @Override
    public void mprotect(Vma vma, long start, long end, VmFlags flags) throws ErrnoException {
      called(
          "mprotect", vma,
          range(start, end) + " of " + range(vma.start(), vma.end()) + " becomes "
              + Protection.ofFlags(flags));
    }
  }
}
