// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.core.memory.FrameCounts;
import io.faultline.core.proc.UsageAudit;
import io.faultline.core.process.OomKiller;
import io.faultline.core.swap.HeapSwapDevice;
import io.faultline.device.AccessMode;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import io.faultline.kernel.ProcessImage;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlag;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;

/** A kernel and the model of each of its processes, side by side. */
final class Machine implements AutoCloseable {
  /** Physical memory, in bytes: more than all processes of a history can fill. */
  static final long ENOUGH = 16 << 20;
  /** So little that many a page cannot be had. */
  static final long SCARCE = 48L * Mman.PAGE_SIZE;
  /** Less than the processes of a history want together; the devices have 16 pages of it. */
  static final long SWAPPING = 128L * Mman.PAGE_SIZE;
  static final int SWAP_SLOTS = 4096;

  private static final int MAX_PROCESSES = 4;
  private static final int TEXTS_EVERY = 16;
  private static final int LAST_WORD = Mman.PAGE_SIZE - Long.BYTES;

  /**
   * A process twice.
   *
   * @param task the engine's
   * @param memory its memory, seen by one processor from its first day to its last
   * @param model ours
   */
  record Process(Task task, UserMemory memory, NaiveProcess model) {}

  private final Kernel kernel;
  private final FrameCounts atBoot;
  private final List<Process> processes = new ArrayList<>();
  private final List<CountingDevice> devices = new ArrayList<>();
  private final List<NaiveObject> deviceObjects = new ArrayList<>();
  private int steps;

  /**
   * @param memoryBytes its physical memory
   * @param swapSlots pages of its swap device, 0 for none
   */
  Machine(long memoryBytes, int swapSlots) throws ErrnoException {
    // There is one thread: nobody frees anything while it waits.
    kernel =
        new Kernel(
            memoryBytes, KernelProfile.LINUX_6_18, DriverLog.NONE, OomKiller.Pause.NONE);
    if (swapSlots > 0) {
      kernel.swaps().swapon(new HeapSwapDevice("/dev/heap0", swapSlots), 0);
    }
    atBoot = kernel.frames();
    long heap = NaiveProcess.HEAP << Mman.PAGE_SHIFT;
    Task task =
        kernel.tasks().spawn(
            new ProcessImage(
                "history", KernelProfile.LINUX_6_18,
                new MmLayout(
                    heap, 0, 0, 0, NaiveProcess.MMAP_BASE << Mman.PAGE_SHIFT, false),
                Limits.DEFAULT, Credentials.ROOT, List.of(), null));
    // What is of interest is who gets no page, not who is killed for it.
    task.setOomScoreAdj(-1000);
    for (int i = 0; i < 2; i++) {
      CountingDevice device = new CountingDevice(kernel.pagesFor("histories"), i == 1);
      AutoCloseable unused =
          kernel.devices().register(DeviceRegistration.of("history" + i), device);
      devices.add(device);
      deviceObjects.add(new NaiveObject(NaiveObject.Kind.DEVICE, CountingDevice.PAGES));
      open(task, i, AccessMode.READ_WRITE);
      open(task, i, AccessMode.READ_ONLY);
    }
    processes.add(new Process(task, task.newCpu(), new NaiveProcess()));
  }

  private void open(Task task, int device, AccessMode mode) throws ErrnoException {
    int fd = kernel.files().open(task, "/dev/history" + device, mode);
    assertThat(fd).isEqualTo(new Source(device, mode.canWrite(), true).fd());
  }

  VmaService calls() {
    return kernel.calls();
  }

  /** The process of a step. */
  Process process(int number) {
    return processes.get(number % processes.size());
  }

  /** The object behind a new mapping. */
  NaiveObject object(Source source, int pages) {
    if (source.device() >= 0) {
      return deviceObjects.get(source.device());
    }
    return source.shared()
        ? new NaiveObject(NaiveObject.Kind.SHARED_MEMORY, pages)
        : NaiveObject.ZEROS;
  }

  void fork(Process parent) {
    if (processes.size() < MAX_PROCESSES) {
      Answer answer = Answer.of(() -> kernel.tasks().fork(parent.task()).pid());
      assertThat(answer.failed()).as("fork: %s", answer).isFalse();
      Task child = kernel.tasks().find((int) answer.value()).orElseThrow();
      processes.add(new Process(child, child.newCpu(), parent.model().fork()));
    }
  }

  void exit(Process process) {
    if (processes.size() > 1) {
      call(() -> kernel.tasks().exit(process.task(), 0)).mustBe(0, "exit");
      processes.remove(process);
    }
  }

  /** A call without a value. */
  @FunctionalInterface
  interface Action {
    void run() throws ErrnoException;
  }

  static Answer call(Action action) {
    return Answer.of(() -> {
      action.run();
      return 0;
    });
  }

  /** Loads what {@link #store} stores: the same at both ends of the page. */
  static Answer load(Process process, long page) {
    long address = page << Mman.PAGE_SHIFT;
    return Answer.of(() -> {
      long value = process.memory().getLong(address);
      assertThat(process.memory().getLong(address + LAST_WORD)).as("the page's other end")
          .isEqualTo(value);
      return value;
    });
  }

  static Answer store(Process process, long page, long value) {
    long address = page << Mman.PAGE_SHIFT;
    return Answer.of(() -> {
      process.memory().putLong(address, value);
      process.memory().putLong(address + LAST_WORD, value);
      return 0;
    });
  }

  /** The first page behind the engine's area that holds a page. */
  long areaEnd(Process process, long page) {
    long address = page << Mman.PAGE_SHIFT;
    return calls().find(process.task(), address).orElseThrow().end() >>> Mman.PAGE_SHIFT;
  }

  // ---- comparisons ------------------------------------------------------------------------------

  /** After each step: the engine's parts agree with each other. */
  void validate() {
    kernel.validate();
    UsageAudit.check(kernel);
    // The texts take their time.
    if (steps++ % TEXTS_EVERY == 0) {
      processes.forEach(process -> UsageAudit.checkTexts(kernel, process.task()));
    }
  }

  /** After each step: it maps the same pages with the same rights. */
  void compare() {
    int[] areas = new int[devices.size()];
    for (Process process : processes) {
      List<Vma> list = calls().list(process.task());
      comparePages(list, process.model());
      for (Vma vma : list) {
        if (vma.file() != null && vma.file().inode().path().startsWith("/dev/history")) {
          areas[vma.file().inode().path().charAt(12) - '0']++;
        }
      }
    }
    assertThat(devices.get(1).areas).as("areas that the device was told of").isEqualTo(areas[1]);
  }

  private static void comparePages(List<Vma> list, NaiveProcess model) {
    int mapped = 0;
    for (Vma vma : list) {
      for (long address = vma.start(); address < vma.end(); address += Mman.PAGE_SIZE) {
        NaivePage page = model.pages.get(address >>> Mman.PAGE_SHIFT);
        if (page == null || !same(vma, address, page)) {
          throw new AssertionError(
              "page %d: the engine has %s at offset %d, the model %s".formatted(
                  (address >>> Mman.PAGE_SHIFT) - NaiveProcess.HEAP, vma.flags(),
                  vma.pageOffsetOf(address), page == null ? "none" : page));
        }
        mapped++;
      }
    }
    assertThat(mapped).as("mapped pages").isEqualTo(model.pages.size());
  }

  private static boolean same(Vma vma, long address, NaivePage page) {
    return Protection.ofFlags(vma.flags()).prot() == page.prot
        && vma.has(VmFlag.MAYSHARE) == page.shared
        && vma.has(VmFlag.LOCKED) == page.locked
        && vma.has(VmFlag.LOCKONFAULT) == page.lockedOnFault
        && vma.has(VmFlag.DONTCOPY) == page.dontFork
        && vma.has(VmFlag.WIPEONFORK) == page.wipeOnFork
        && vma.has(VmFlag.MAYWRITE) == page.mayWrite
        && (vma.file() == null) == page.anonymous()
        && (page.anonymous() || vma.pageOffsetOf(address) == page.index);
  }

  /** At the end: every page of every process holds what it should, or is refused as it should. */
  void compareContents() {
    for (Process process : processes) {
      process.model().pages.keySet().forEach(
          page -> process.model().read(page, load(process, page)));
    }
  }

  /** All processes exit: nothing may be left. */
  void compareEnd() {
    for (Process process : processes) {
      kernel.tasks().exit(process.task(), 0);
    }
    kernel.validate();
    assertThat(devices.get(1).areas).as("areas that are left").isZero();
    assertThat(kernel.reclaimPages("histories")).isEqualTo(2L * CountingDevice.PAGES);
    assertThat(kernel.frames()).as("frames that are left").isEqualTo(atBoot);
  }

  @Override
  public void close() {
    kernel.close();
  }
}
