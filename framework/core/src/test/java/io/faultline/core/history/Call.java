// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import io.faultline.core.history.NaiveProcess.Remap;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;

/**
 * Something that a process does. Pages are counted from {@link NaiveProcess#HEAP}, so that the numbers
 * of a history stay small. {@link #run} does it and tells the process' model what came of it.
 */
sealed interface Call {
  void run(Machine machine, Machine.Process process);

  /** The address of a page of a call. */
  static long address(int page) {
    return number(page) << Mman.PAGE_SHIFT;
  }

  static long number(int page) {
    return NaiveProcess.HEAP + page;
  }

  static long bytes(int pages) {
    return (long) pages << Mman.PAGE_SHIFT;
  }

  /** {@code mmap(2)}; {@code flags} without the type. */
  record Mmap(int page, int pages, int prot, int flags, Source source, int offset)
      implements
      Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      boolean anonymous = source.device() < 0;
      int type = source.shared() ? Mman.MAP_SHARED : Mman.MAP_PRIVATE;
      int all = flags | type | (anonymous ? Mman.MAP_ANONYMOUS : 0);
      boolean named = page != Calls.ANYWHERE;
      long address = named ? address(page) : 0;
      Answer answer =
          Answer.of(
              () -> machine.calls().mmap(
                  process.task(), address, bytes(pages), prot, all, source.fd(),
                  bytes(anonymous ? 0 : offset)));
      NaivePage first =
          new NaivePage(
              machine.object(source, pages), anonymous ? 0 : offset, source.shared(),
              source.writable() || !source.shared(), prot);
      process.model().mmap(
          named ? number(page) : 0, pages, flags, first, source.writable(), answer);
    }
  }

  record Munmap(int page, int pages) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      Answer answer =
          Machine.call(() -> machine.calls().munmap(process.task(), address(page), bytes(pages)));
      process.model().munmap(number(page), pages, answer);
    }
  }

  record Mprotect(int page, int pages, int prot) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      Answer answer =
          Machine.call(
              () -> machine.calls().mprotect(process.task(), address(page), bytes(pages), prot));
      process.model().mprotect(number(page), pages, prot, answer);
    }
  }

  record Mremap(int page, int oldPages, int newPages, int flags, int target) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      Remap remap = new Remap(number(page), oldPages, newPages, flags, number(target));
      if (remap.dontUnmap() && process.model().pages.values().stream().anyMatch(p -> p.locked)) {
        // Linux unlocks the whole area that is left behind, however little of it was moved.
        return;
      }
      Answer answer =
          Answer.of(
              () -> machine.calls().mremap(
                  process.task(), address(page), bytes(oldPages), bytes(newPages), flags,
                  address(target)));
      process.model().mremap(remap, start -> machine.areaEnd(process, start), answer);
    }
  }

  /** The system call {@code brk}, to some bytes behind a page of the heap. */
  record Brk(int page, int bytes) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      long address = address(page) + bytes;
      Answer answer = Answer.of(() -> machine.calls().brk(process.task(), address));
      process.model().brk(address, answer);
    }
  }

  record Mlock(int page, int pages, boolean onFault) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      VmaService calls = machine.calls();
      Answer answer =
          Machine.call(
              () -> calls.mlock2(
                  process.task(), address(page), bytes(pages), onFault ? Mman.MLOCK_ONFAULT : 0));
      process.model().mlock(number(page), pages, onFault, answer);
    }
  }

  record Munlock(int page, int pages) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      Answer answer =
          Machine.call(() -> machine.calls().munlock(process.task(), address(page), bytes(pages)));
      process.model().munlock(number(page), pages, answer);
    }
  }

  record Msync(int page, int pages, int flags) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      Answer answer =
          Machine.call(
              () -> machine.calls().msync(process.task(), address(page), bytes(pages), flags));
      process.model().msync(number(page), pages, flags, answer);
    }
  }

  record Madvise(int page, int pages, int advice) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      NaiveProcess model = process.model();
      if (advice == Mman.MADV_GUARD_INSTALL && hasPrivateFilePage(model)) {
        // Where a guard stops a populating call, later private pages of the same area are not copied
        // from the file: that depends on where areas end.
        return;
      }
      Answer answer =
          Machine.call(
              () -> machine.calls().madvise(process.task(), address(page), bytes(pages), advice));
      if (advice == Mman.MADV_POPULATE_READ || advice == Mman.MADV_POPULATE_WRITE) {
        model.populate(number(page), pages, advice == Mman.MADV_POPULATE_WRITE, answer);
      } else {
        model.madvise(number(page), pages, advice, answer);
      }
    }

    private boolean hasPrivateFilePage(NaiveProcess model) {
      return model.pages.subMap(number(page), number(page + pages)).values().stream()
          .anyMatch(p -> !p.shared && !p.anonymous());
    }
  }

  /** Loads from some pages, one after the other. */
  record Read(int page, int pages) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      for (int i = 0; i < pages; i++) {
        process.model().read(number(page + i), Machine.load(process, number(page + i)));
      }
    }
  }

  /** Stores to some pages, one after the other. */
  record Write(int page, int pages, int value) implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      for (int i = 0; i < pages; i++) {
        process.model().write(
            number(page + i), value + i, Machine.store(process, number(page + i), value + i));
      }
    }
  }

  record Fork() implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      machine.fork(process);
    }
  }

  /** The end of a process, unless it is the last. */
  record Exit() implements Call {
    @Override
    public void run(Machine machine, Machine.Process process) {
      machine.exit(process);
    }
  }
}
