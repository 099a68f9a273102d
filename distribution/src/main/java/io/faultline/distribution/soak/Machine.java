// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.device.AccessMode;
import io.faultline.kernel.Files;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;

/** What the soak asks of the kernel. */
record Machine(Tasks tasks, Files files, VmaService memory) {
  static final int PAGE = Mman.PAGE_SIZE;

  /** A process that has a device open as descriptor 0. */
  final class Process {
    final Task task;
    final UserMemory cpu;
    private final int fd;

    private Process(String device) throws ErrnoException {
      task = tasks.spawn("soak");
      fd = files.open(task, device, AccessMode.READ_WRITE);
      cpu = task.newCpu();
    }

    /** Maps pages shared. */
    long map(int firstPage, int pages) throws ErrnoException {
      return memory.mmap(
          task, 0, (long) pages * PAGE, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, fd,
          (long) firstPage * PAGE);
    }

    void unmap(long address, int pages) throws ErrnoException {
      memory.munmap(task, address, (long) pages * PAGE);
    }

    /** Every page of it faults again. */
    void drop(long address, int pages) throws ErrnoException {
      memory.madvise(task, address, (long) pages * PAGE, Mman.MADV_DONTNEED);
    }

    int read(int page, MemorySegment target) throws ErrnoException {
      files.seek(task, fd, (long) page * PAGE);
      return files.read(task, fd, target);
    }

    int write(int page, MemorySegment source) throws ErrnoException {
      files.seek(task, fd, (long) page * PAGE);
      return files.write(task, fd, source);
    }

    void end() {
      tasks.exit(task, 0);
    }
  }

  Process process(String device) throws ErrnoException {
    return new Process(device);
  }
}
