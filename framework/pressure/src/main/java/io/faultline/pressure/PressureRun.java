// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Task;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A working set larger than memory. A quarter of it is shared memory of all processes, a quarter
 * stays shared between forks until one writes (each writes its own share of it, so half of that
 * quarter are copies), half is private in equal parts. Beside it each process locks some pages, and
 * maps a driver's VM_RESERVED area: the frames of both are looked at every second.
 *
 * <p>Ends well when no byte was wrong, no access was refused, no page of those moved, and all frames
 * and slots are free when the processes are gone.
 */
public final class PressureRun {
  private static final int LOCKED_PAGES = 32;
  private static final int STEPS_A_SECOND = 20;
  private static final long SECOND = 1_000_000_000L;
  private static final long PRESENT = 1L << 63;
  private static final long FRAME = (1L << 55) - 1;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;

  private final PressureKernel kernel;
  private final PressureArguments arguments;
  private final PrintStream out;
  private final Trouble trouble = new Trouble();
  private final List<Worker> workers = new ArrayList<>();
  private final List<Fixed> fixed = new ArrayList<>();
  private final AtomicLong looks = new AtomicLong();

  /** Pages of a process that have to stay in their frames. */
  private record Fixed(Task task, String name, long base, long[] frames) {}

  /**
   * @param out for progress and the summary
   */
  public PressureRun(PressureKernel kernel, PressureArguments arguments, PrintStream out) {
    this.kernel = kernel;
    this.arguments = arguments;
    this.out = out;
  }

  /**
   * Does it all.
   *
   * @return what was wrong, a line each; empty when nothing was
   * @throws PressureException when it cannot be set up
   * @throws InterruptedException when it is stopped; its processes are gone by then
   */
  public List<String> run() throws PressureException, InterruptedException {
    Sample before = Sample.now(kernel, 0);
    ReservedDriver driver = null;
    AutoCloseable device = null;
    Sample work = before;
    try {
      driver = new ReservedDriver(kernel.pages(), arguments.reserved());
      if (driver.count() > 0) {
        device = kernel.devices().register(
            DeviceRegistration.of(ReservedDriver.NAME), driver);
      }
      start(driver);
      work = work();
    } catch (ErrnoException e) {
      trouble.tell("FAILED: " + e.getMessage());
    } finally {
      workers.forEach(worker -> kernel.tasks().exit(worker.task(), 0));
      close(device);
      if (driver != null) {
        driver.close();
      }
    }
    checkNothingIsLeft(before);
    summary(work);
    return trouble.lines();
  }

  private static void close(@Nullable AutoCloseable device)
      throws PressureException, InterruptedException {
    if (device != null) {
      try {
        device.close();
      } catch (InterruptedException e) {
        throw e;
      } catch (Exception e) {
        throw new PressureException("pressure: the device cannot be removed: " + e.getMessage());
      }
    }
  }

  // ---- the processes ----------------------------------------------------------------------------

  private void start(ReservedDriver driver) throws ErrnoException, InterruptedException {
    int count = arguments.processes();
    int sharedPages = (int) (arguments.workingSet() / 4);
    int copiedPages = (int) (arguments.workingSet() / 8);
    int privatePages = (int) (arguments.workingSet() / 2 / count);
    Task first = kernel.tasks().spawn("pressure-0");
    Region shared = new Region("shared", 0, map(first, sharedPages, Mman.MAP_SHARED), sharedPages);
    Region copied =
        new Region("copy-on-write", 1, map(first, copiedPages, Mman.MAP_PRIVATE), copiedPages);
    Worker filler =
        new Worker(kernel, first, List.of(shared, copied), arguments.seed(), 0, trouble);
    workers.add(filler);
    out.printf("pressure: %d processes, %s of pages in %s of memory; seed %d; swap on %s%n", count,
        mebibytes(arguments.workingSet()), mebibytes(arguments.memory() / Mman.PAGE_SIZE),
        arguments.seed(),
        String.join(", ", kernel.swaps().list().stream().map(SwapInfo::name).toList()));
    out.flush();
    filler.fill(shared);
    filler.fill(copied);
    List<Task> tasks = new ArrayList<>(List.of(first));
    for (int i = 1; i < count; i++) {
      tasks.add(kernel.tasks().fork(first));
    }
    workers.clear();
    Region reserved = null;
    for (int i = 0; i < count; i++) {
      Task task = tasks.get(i);
      Region own =
          new Region("private", 16 + i, map(task, privatePages, Mman.MAP_PRIVATE), privatePages);
      Region copy =
          copied.copy(copiedPages * i / count, copiedPages * (i + 1) / count);
      List<Region> regions = new ArrayList<>(List.of(shared, copy));
      if (driver.count() > 0) {
        int fd = kernel.files().open(task, "/dev/" + ReservedDriver.NAME, AccessMode.READ_WRITE);
        long base =
            kernel.memory().mmap(task, 0, driver.bytes(), RW, Mman.MAP_SHARED, fd, 0);
        // All see the same pages at the same address: they are forks.
        reserved = reserved == null ? new Region("reserved", 2, base, driver.count()) : reserved;
        if (reserved.address(0) != base) {
          throw new IllegalStateException("the driver's area lies elsewhere in " + task.name());
        }
        regions.add(reserved);
      }
      regions.add(own);
      workers.add(new Worker(kernel, task, regions, arguments.seed(), i, trouble));
    }
    inParallel(false, worker -> worker.fill(worker.own()));
    if (reserved != null) {
      workers.getFirst().fill(reserved);
    }
    for (Worker worker : workers) {
      watch(worker, reserved, driver);
    }
  }

  private long map(Task task, int pages, int sharing) throws ErrnoException {
    return kernel.memory().mmap(
        task, 0, pages * Mman.PAGE_SIZE, RW, sharing | Mman.MAP_ANONYMOUS, -1, 0);
  }

  /** Touches the pages that have to stay, and notes where they are. */
  private void watch(Worker worker, @Nullable Region reserved, ReservedDriver driver)
      throws ErrnoException {
    Task task = worker.task();
    long locked = map(task, LOCKED_PAGES, Mman.MAP_PRIVATE);
    kernel.memory().mlock(task, locked, LOCKED_PAGES * Mman.PAGE_SIZE);
    fixed.add(new Fixed(task, "locked", locked, frames(task, locked, LOCKED_PAGES)));
    if (reserved != null) {
      worker.checkAll(reserved);
      long[] frames = new long[driver.count()];
      for (int i = 0; i < frames.length; i++) {
        frames[i] = PRESENT | driver.frame(i);
      }
      fixed.add(new Fixed(task, "VM_RESERVED", reserved.address(0), frames));
    }
  }

  private long[] frames(Task task, long base, int pages) {
    long[] words = kernel.proc().pagemap(task, base, pages);
    for (int i = 0; i < words.length; i++) {
      words[i] &= PRESENT | FRAME;
    }
    return words;
  }

  private void checkNothingMoved() {
    for (Fixed one : fixed) {
      long[] now = frames(one.task, one.base, one.frames.length);
      for (int i = 0; i < now.length; i++) {
        if (now[i] != one.frames[i] || now[i] >= 0) {
          trouble.tell(
              "MOVED: %s (pid %d): page %d of its %s area was in frame %d, now pagemap says 0x%x"
                  .formatted(one.task.name(), one.task.pid(), i, one.name, one.frames[i] & FRAME,
                      now[i]));
        }
      }
      looks.addAndGet(now.length);
    }
  }

  // ---- the work ---------------------------------------------------------------------------------

  private Sample work() throws InterruptedException {
    Sample begin = sample();
    long end = begin.nanos() + arguments.nanos();
    out.println("pressure: filled; random accesses begin");
    inParallel(true, worker -> worker.work(end));
    Sample done = sample().since(begin);
    if (trouble.isNone()) {
      out.println("pressure: time is up; every page is read once more");
      inParallel(false, Worker::checkAll);
      checkNothingMoved();
    }
    return done;
  }

  private Sample sample() {
    return Sample.now(kernel, workers.stream().mapToLong(Worker::accesses).sum());
  }

  private void inParallel(boolean told, Consumer<Worker> what) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (Worker worker : workers) {
      threads.add(
          Thread.ofPlatform().daemon().name(worker.task().name()).start(() -> {
            try {
              what.accept(worker);
            } catch (RuntimeException | Error e) {
              trouble.tell("FAILED: " + worker.task().name() + ": " + e);
            }
          }));
    }
    try {
      Sample last = sample();
      long began = last.nanos();
      for (Thread thread : threads) {
        while (!thread.join(Duration.ofMillis(1000 / STEPS_A_SECOND))) {
          if (System.nanoTime() - last.nanos() >= SECOND) {
            checkNothingMoved();
            Sample now = sample();
            if (told) {
              progress(now.since(last), now.nanos() - began);
            }
            last = now;
          }
        }
      }
    } catch (InterruptedException e) {
      trouble.tell("INTERRUPTED");
      for (Thread thread : threads) {
        thread.join();
      }
      throw e;
    }
  }

  private void progress(Sample now, long elapsed) {
    out.printf(
        "%6d s %,10.0f accesses/s %,8.0f faults/s   swap in %6.1f out %6.1f MiB/s, used %7.1f MiB"
            + "   free %5.1f MiB%n",
        elapsed / SECOND, now.perSecond(now.accesses()), now.perSecond(now.faults()),
        now.perSecond(now.swapIn()) / 256, now.perSecond(now.swapOut()) / 256,
        now.swapUsed() / 256.0, now.freePages() / 256.0);
    out.flush();
  }

  // ---- the end ----------------------------------------------------------------------------------

  private void checkNothingIsLeft(Sample before) {
    Sample after = Sample.now(kernel, 0);
    if (after.freePages() != before.freePages()) {
      trouble.tell(
          "LEAKED: %d frames were free before, %d are now".formatted(before.freePages(),
              after.freePages()));
    }
    if (after.swapUsed() != before.swapUsed()) {
      trouble.tell(
          "LEAKED: %d slots were in use before, %d are now".formatted(before.swapUsed(),
              after.swapUsed()));
    }
  }

  private void summary(Sample work) {
    out.printf("accesses         %,15d   %,12.0f /s   each checked%n", work.accesses(),
        work.perSecond(work.accesses()));
    out.printf("faults           %,15d   %,12.0f /s   %,d of them read from swap%n", work.faults(),
        work.perSecond(work.faults()), work.majorFaults());
    out.printf("pages swapped in %,15d   %,12.1f MiB/s%n", work.swapIn(),
        work.perSecond(work.swapIn()) / 256);
    out.printf("pages swapped out%,15d   %,12.1f MiB/s%n", work.swapOut(),
        work.perSecond(work.swapOut()) / 256);
    out.printf("frames scanned   %,15d   %,12.1f a page swapped out%n", work.scanned(),
        work.swapOut() == 0 ? 0 : (double) work.scanned() / work.swapOut());
    out.printf("looks at frames  %,15d   of locked and VM_RESERVED pages%n", looks.get());
    for (SwapInfo device : kernel.swaps().list()) {
      out.printf("%-40s %,d written, %,d read, %,d failures%s%n", device.name(), device.writes(),
          device.reads(), device.failures(),
          device.lastFailure() == null ? "" : ", the last: " + device.lastFailure());
    }
    trouble.lines().forEach(out::println);
    out.println(
        trouble.isNone()
            ? "pressure: no byte wrong, no page moved, all frames and slots are free"
            : "pressure: FAILED");
    out.flush();
  }

  private static String mebibytes(long pages) {
    return pages / 256 + " MiB";
  }
}
