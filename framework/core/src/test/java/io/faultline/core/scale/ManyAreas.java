// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.scale;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;

/**
 * A program for a JVM of its own: makes as many areas as it is told in one address space, uses them, and
 * tells what it saw. Its first argument is their number.
 */
final class ManyAreas {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;
  private static final int PRIVATE = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS;

  private final Kernel kernel;
  private final Task task;
  private final UserMemory memory;
  private final int count;
  private final long base;

  private ManyAreas(Kernel kernel, int count) throws ErrnoException {
    this.kernel = kernel;
    this.count = count;
    task = kernel.tasks().spawn("many");
    memory = task.newCpu();
    base = kernel.calls().mmap(task, 0, (long) count * PAGE, RW, PRIVATE, -1, 0);
  }

  public static void main(String[] arguments) throws ErrnoException {
    int count = Integer.parseInt(arguments[0]);
    KernelProfile profile = KernelProfile.LINUX_6_18.withMaxMapCount(2 * count);
    try (Kernel kernel = new Kernel(64 << 20, profile, DriverLog.NONE)) {
      new ManyAreas(kernel, count).run();
    }
  }

  private void run() throws ErrnoException {
    long before = areas();
    for (int page = 1; page < count; page += 2) {
      kernel.calls().mprotect(task, address(page), PAGE, Mman.PROT_READ);
    }
    System.out.println("areas " + (areas() - before + 1));
    kernel.validate();
    touch();
    System.out.println("maps " + kernel.proc().maps(task).lines().count());
    for (int page = 0; page < count; page += 4) {
      kernel.calls().munmap(task, address(page), PAGE);
    }
    System.out.println("left " + (areas() - before + 1));
    kernel.calls().mprotect(task, address(1), 3L * PAGE, RW);
    System.out.println("joined " + (areas() - before + 1));
    kernel.validate();
    kernel.tasks().exit(task, 0);
    System.out.println("frames " + kernel.frames().anonymous());
    System.out.println("heap of 64 MiB " + (Runtime.getRuntime().maxMemory() <= 64 << 20));
  }

  private long address(int page) {
    return base + (long) page * PAGE;
  }

  private int areas() {
    return kernel.calls().list(task).size();
  }

  /** Writes to one area in sixteen, and reads what was written. */
  private void touch() {
    long sum = 0;
    for (int page = 0; page < count; page += 16) {
      memory.putInt(address(page), page);
    }
    for (int page = 0; page < count; page++) {
      sum += memory.getInt(address(page));
    }
    System.out.println("sum " + sum);
  }
}
