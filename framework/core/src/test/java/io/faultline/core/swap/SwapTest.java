// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import static io.faultline.mm.Mman.MADV_COLD;
import static io.faultline.mm.Mman.MADV_DONTNEED;
import static io.faultline.mm.Mman.MADV_FREE;
import static io.faultline.mm.Mman.MADV_PAGEOUT;
import static io.faultline.mm.Mman.MADV_WILLNEED;
import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.Kernel;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Memory that runs out: what leaves, what stays, what comes back. */
@Timeout(600)
class SwapTest {
  private static final int FRAMES = 1024;

  private final List<String> log = new ArrayList<>();
  private final Kernel kernel =
      new Kernel(
          FRAMES * PAGE_SIZE, KernelProfile.LINUX_6_18, (message, trace) -> log.add(message));
  private final HeapSwapDevice device = new HeapSwapDevice("/dev/heap0", 4 * FRAMES);
  private final long before = kernel.frames().used();
  private Task task;
  private UserMemory memory;

  @BeforeEach
  void boot() throws Exception {
    kernel.swaps().swapon(device, 5);
    task = kernel.tasks().spawn("hungry");
    memory = task.newCpu();
  }

  @AfterEach
  void allIsGivenBack() {
    for (Task one : kernel.tasks().list()) {
      kernel.tasks().exit(one, 0);
    }
    kernel.validate();
    assertThat(kernel.frames().used()).isEqualTo(before);
    assertThat(kernel.swaps().list()).allMatch(swap -> swap.used() == 0);
    kernel.close();
  }

  private long map(Task owner, int pages, int sharing) throws ErrnoException {
    return kernel
        .calls()
        .mmap(owner, 0, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
  }

  private static void fill(UserMemory memory, long base, int pages) {
    for (int i = 0; i < pages; i++) {
      memory.putLong(base + i * PAGE_SIZE + 8, 0x5eed_0000L + i);
    }
  }

  private static void check(UserMemory memory, long base, int pages) {
    for (int i = 0; i < pages; i++) {
      assertThat(memory.getLong(base + i * PAGE_SIZE + 8)).as("page %d", i)
          .isEqualTo(0x5eed_0000L + i);
    }
  }

  @Test
  void moreIsWrittenThanThereIsMemoryAndAllOfItIsReadBack() throws Exception {
    long base = map(task, 3 * FRAMES, MAP_PRIVATE);
    fill(memory, base, 3 * FRAMES);
    kernel.validate();
    assertThat(device.kept()).isGreaterThan(2 * FRAMES);
    check(memory, base, 3 * FRAMES);
    kernel.validate();
  }

  @Test
  void sharedMemoryIsSwappedToo() throws Exception {
    long base = map(task, 3 * FRAMES, MAP_SHARED);
    fill(memory, base, 3 * FRAMES);
    kernel.validate();
    Task child = kernel.tasks().fork(task);
    check(child.newCpu(), base, 3 * FRAMES);
    check(memory, base, 3 * FRAMES);
    kernel.validate();
  }

  @Test
  void aForkedProcessSharesSwappedPagesUntilOneOfThemWrites() throws Exception {
    long base = map(task, 2 * FRAMES, MAP_PRIVATE);
    fill(memory, base, 2 * FRAMES);
    Task child = kernel.tasks().fork(task);
    kernel.validate();
    UserMemory childMemory = child.newCpu();
    childMemory.putLong(base + 8, 1);
    memory.putLong(base + PAGE_SIZE + 8, 2);
    assertThat(memory.getLong(base + 8)).isEqualTo(0x5eed_0000L);
    assertThat(childMemory.getLong(base + PAGE_SIZE + 8)).isEqualTo(0x5eed_0001L);
    kernel.tasks().exit(task, 0);
    for (int i = 2; i < 2 * FRAMES; i++) {
      assertThat(childMemory.getLong(base + i * PAGE_SIZE + 8)).isEqualTo(0x5eed_0000L + i);
    }
    kernel.validate();
  }

  private long counted(String name) {
    return kernel.proc().vmstat().lines().filter(line -> line.startsWith(name + " "))
        .mapToLong(line -> Long.parseLong(line.substring(name.length() + 1))).findAny()
        .orElseThrow();
  }

  @Test
  void vmstatCountsWhatReclaimWroteAndMovedBetweenItsLists() throws Exception {
    long locked = map(task, 64, MAP_PRIVATE);
    kernel.calls().mlock(task, locked, 64 * PAGE_SIZE);
    long base = map(task, 2 * FRAMES, MAP_PRIVATE);
    fill(memory, base, 2 * FRAMES);
    check(memory, base, 2 * FRAMES);
    assertThat(counted("pswpout")).isPositive();
    assertThat(counted("nr_written")).isEqualTo(counted("pswpout"));
    assertThat(counted("nr_vmscan_write")).isEqualTo(counted("pswpout"));
    assertThat(counted("pgpgout")).isEqualTo(4 * counted("pswpout"));
    assertThat(counted("pgpgin")).isEqualTo(4 * counted("pswpin"));
    assertThat(counted("pgactivate")).isPositive();
    assertThat(counted("pgrefill")).isGreaterThanOrEqualTo(counted("pgdeactivate")).isPositive();
    assertThat(counted("unevictable_pgs_culled")).isEqualTo(64);
    assertThat(counted("unevictable_pgs_rescued")).isZero();

    kernel.calls().munlock(task, locked, 64 * PAGE_SIZE);
    check(memory, base, 2 * FRAMES);
    assertThat(counted("unevictable_pgs_rescued")).isEqualTo(64);
  }

  @Test
  void lockedPagesNeverLeave() throws Exception {
    long locked = map(task, 64, MAP_PRIVATE);
    fill(memory, locked, 64);
    kernel.calls().mlock(task, locked, 64 * PAGE_SIZE);
    long base = map(task, 2 * FRAMES, MAP_PRIVATE);
    fill(memory, base, 2 * FRAMES);
    byte[] resident = resident(task, locked, 64);
    assertThat(resident).containsOnly(1);
  }

  @Test
  void pageOutTakesPagesOutAndMincoreSeesIt() throws Exception {
    long base = map(task, 16, MAP_PRIVATE);
    fill(memory, base, 16);
    kernel.calls().madvise(task, base, 16 * PAGE_SIZE, MADV_PAGEOUT);
    assertThat(resident(task, base, 16)).containsOnly(0);
    assertThat(device.kept()).isEqualTo(16);
    kernel.validate();
    kernel.calls().madvise(task, base, 16 * PAGE_SIZE, MADV_WILLNEED);
    assertThat(resident(task, base, 16)).containsOnly(1);
    check(memory, base, 16);
    assertThat(device.kept()).as("all came home").isZero();
  }

  @Test
  void discardedPagesGiveTheirSlotsBack() throws Exception {
    long base = map(task, 16, MAP_PRIVATE);
    fill(memory, base, 16);
    kernel.calls().madvise(task, base, 16 * PAGE_SIZE, MADV_PAGEOUT);
    kernel.calls().madvise(task, base, 16 * PAGE_SIZE, MADV_DONTNEED);
    assertThat(kernel.swaps().list().getFirst().used()).isZero();
    assertThat(memory.getLong(base + 8)).isZero();
  }

  @Test
  void freedPagesStayUntilMemoryIsNeededUnlessTheyAreWrittenTo() throws Exception {
    long base = map(task, 16, MAP_PRIVATE);
    fill(memory, base, 16);
    kernel.calls().madvise(task, base, 16 * PAGE_SIZE, MADV_FREE);
    check(memory, base, 16);
    memory.putLong(base + 8, 77);
    kernel.calls().madvise(task, base, 16 * PAGE_SIZE, MADV_PAGEOUT);
    assertThat(memory.getLong(base + 8)).isEqualTo(77);
    assertThat(memory.getLong(base + 2 * PAGE_SIZE + 8)).isZero();
  }

  @Test
  void coldPagesAreTheFirstToGo() throws Exception {
    long warm = map(task, 256, MAP_PRIVATE);
    long cold = map(task, 256, MAP_PRIVATE);
    fill(memory, cold, 256);
    fill(memory, warm, 256);
    kernel.calls().madvise(task, cold, 256 * PAGE_SIZE, MADV_COLD);
    long base = map(task, 600, MAP_PRIVATE);
    fill(memory, base, 600);
    long coldLeft = count(resident(task, cold, 256));
    long warmLeft = count(resident(task, warm, 256));
    assertThat(coldLeft).isLessThan(warmLeft);
  }

  private byte[] resident(Task owner, long base, int pages) throws ErrnoException {
    long vector = map(owner, 1, MAP_PRIVATE);
    kernel.calls().mincore(owner, base, pages * PAGE_SIZE, vector);
    byte[] bytes = new byte[pages];
    owner.newCpu().read(vector, MemorySegment.ofArray(bytes));
    return bytes;
  }

  private static long count(byte[] vector) {
    long sum = 0;
    for (byte one : vector) {
      sum += one;
    }
    return sum;
  }

  @Test
  void aFailedReadIsABusErrorOfThatAccessAlone() throws Exception {
    long base = map(task, 32, MAP_PRIVATE);
    fill(memory, base, 32);
    kernel.calls().madvise(task, base, 16 * PAGE_SIZE, MADV_PAGEOUT);
    device.failReads = true;
    assertThatThrownBy(() -> memory.getLong(base + 8))
        .isInstanceOfSatisfying(
            SignalException.class,
            e -> {
              assertThat(e.info().code()).isEqualTo(SignalCode.BUS_ADRERR);
              assertThat(e.info().cause()).contains("/dev/heap0").contains("told to fail");
            });
    assertThat(memory.getLong(base + 16 * PAGE_SIZE + 8)).isEqualTo(0x5eed_0010L);
    kernel.validate();
    device.failReads = false;
    check(memory, base, 32);
  }

  @Test
  void aFailedWriteKeepsThePagesInMemory() throws Exception {
    long base = map(task, 16, MAP_PRIVATE);
    fill(memory, base, 16);
    device.failWrites = true;
    kernel.calls().madvise(task, base, 16 * PAGE_SIZE, MADV_PAGEOUT);
    kernel.validate();
    check(memory, base, 16);
    assertThat(kernel.swaps().list().getFirst().failures()).isPositive();
    kernel.validate();
  }

  @Test
  void memoryThatCannotBeSwappedBecauseTheDeviceFailsKillsNobody() throws Exception {
    long base = map(task, 2 * FRAMES, MAP_PRIVATE);
    device.failWrites = true;
    assertThatThrownBy(() -> fill(memory, base, 2 * FRAMES))
        .isInstanceOfSatisfying(
            SignalException.class,
            e -> assertThat(e.info().cause()).contains("/dev/heap0"));
    assertThat(task.alive()).isTrue();
    kernel.validate();
  }

  @Test
  void aDeviceThatWentWithPagesIsToldOfUntilNobodyMissesThemAndItsNameIsFreeAtOnce()
      throws Exception {
    long base = map(task, 2 * FRAMES, MAP_PRIVATE);
    fill(memory, base, 2 * FRAMES);
    long lost = kernel.swaps().remove(device);
    assertThatThrownBy(() -> check(memory, base, 2 * FRAMES))
        .isInstanceOfSatisfying(
            SignalException.class, e -> assertThat(e.info().cause())
                .contains("/dev/heap0").contains("its driver is gone"));
    assertThat(task.alive()).isTrue();
    assertThat(lost).isPositive();
    assertThat(kernel.swaps().list()).singleElement()
        .satisfies(swap -> {
          assertThat(swap.name()).isEqualTo("/dev/heap0 (deleted)");
          assertThat(swap.used()).isEqualTo(lost);
        });
    kernel.swaps().swapon(new HeapSwapDevice("/dev/heap0", FRAMES), 5);
    kernel.calls().munmap(task, base, 2 * FRAMES * PAGE_SIZE);
    assertThat(kernel.swaps().list()).extracting(SwapInfo::name).containsExactly("/dev/heap0");
    kernel.swaps().swapoff("/dev/heap0");
    kernel.swaps().swapon(device, 5);
    kernel.validate();
  }

  @Test
  void swapoffMovesAllPagesHome() throws Exception {
    long base = map(task, 128, MAP_PRIVATE);
    long shared = map(task, 128, MAP_SHARED);
    fill(memory, base, 128);
    fill(memory, shared, 128);
    kernel.calls().madvise(task, base, 128 * PAGE_SIZE, MADV_PAGEOUT);
    kernel.calls().madvise(task, shared, 128 * PAGE_SIZE, MADV_PAGEOUT);
    assertThat(device.kept()).isEqualTo(256);
    kernel.swaps().swapoff("/dev/heap0");
    assertThat(kernel.swaps().list()).isEmpty();
    assertThat(device.active).isFalse();
    kernel.validate();
    check(memory, base, 128);
    check(memory, shared, 128);
  }

  @Test
  void swapoffThatDoesNotFitSaysSoAndLosesNothing() throws Exception {
    long base = map(task, 2 * FRAMES, MAP_PRIVATE);
    fill(memory, base, 2 * FRAMES);
    assertThatThrownBy(() -> kernel.swaps().swapoff("/dev/heap0"))
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
    kernel.validate();
    check(memory, base, 2 * FRAMES);
    assertThat(kernel.swaps().off()).isEmpty();
  }

  @Test
  void theDeviceOfTheHigherPriorityIsFilledFirst() throws Exception {
    HeapSwapDevice better = new HeapSwapDevice("/dev/heap1", 100);
    kernel.swaps().swapon(better, 10);
    long base = map(task, 128, MAP_PRIVATE);
    fill(memory, base, 128);
    kernel.calls().madvise(task, base, 64 * PAGE_SIZE, MADV_PAGEOUT);
    assertThat(better.kept()).isEqualTo(64);
    assertThat(device.kept()).isZero();
    kernel.calls().madvise(task, base, 128 * PAGE_SIZE, MADV_PAGEOUT);
    assertThat(better.kept()).isEqualTo(100);
    check(memory, base, 128);
  }

  @Test
  void withoutSwapTheWorstProcessIsKilledAndTheOthersGoOn() throws Exception {
    kernel.swaps().swapoff("/dev/heap0");
    Task small = kernel.tasks().spawn("small");
    long smallBase = map(small, 16, MAP_PRIVATE);
    fill(small.newCpu(), smallBase, 16);
    Task large = kernel.tasks().spawn("large");
    long largeBase = map(large, FRAMES / 2, MAP_PRIVATE);
    fill(large.newCpu(), largeBase, FRAMES / 2);

    long base = map(task, FRAMES / 2, MAP_PRIVATE);
    fill(memory, base, FRAMES / 2);

    assertThat(large.alive()).isFalse();
    assertThat(large.end()).contains("SIGKILL");
    assertThat(small.alive()).isTrue();
    check(small.newCpu(), smallBase, 16);
    check(memory, base, FRAMES / 2);
    assertThat(log).anyMatch(
        line -> line.matches("Out of memory: Killed process \\d+ \\(large\\) total-vm:\\d+kB, .*"));
  }

  @Test
  void whoIsKilledForMemoryHimselfIsToldBySigkill() throws Exception {
    kernel.swaps().swapoff("/dev/heap0");
    long base = map(task, 2 * FRAMES, MAP_PRIVATE);
    assertThatThrownBy(() -> fill(memory, base, 2 * FRAMES))
        .isInstanceOfSatisfying(
            SignalException.class,
            e -> assertThat(e.info().code()).isEqualTo(SignalCode.OOM_KILLED));
    assertThat(task.alive()).isFalse();
    assertThat(kernel.frames().used()).isEqualTo(before);
  }

  @Test
  void severalThreadsOfSeveralProcessesThrashWithoutLosingAByte() throws Exception {
    int pages = FRAMES;
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    for (int p = 0; p < 3; p++) {
      Task one = kernel.tasks().spawn("p" + p);
      long base = map(one, pages, p == 2 ? MAP_SHARED : MAP_PRIVATE);
      int seed = p;
      threads.add(
          Thread.ofPlatform().start(
              () -> {
                try {
                  UserMemory cpu = one.newCpu();
                  long[] expected = new long[pages];
                  SplittableRandom random = new SplittableRandom(seed);
                  for (int i = 0; i < 30_000; i++) {
                    int page = random.nextInt(pages);
                    long address = base + page * PAGE_SIZE + 16;
                    long seen = cpu.getLong(address);
                    if (seen != expected[page]) {
                      throw new IllegalStateException(
                          "page " + page + ": " + seen + " for " + expected[page]);
                    }
                    expected[page] = i + 1;
                    cpu.putLong(address, i + 1);
                  }
                } catch (Throwable t) {
                  synchronized (failures) {
                    failures.add(t);
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    kernel.validate();
  }
}
