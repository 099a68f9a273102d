// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.faultline.device.AccessMode;
import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UpgradeException;
import io.faultline.kernel.UpgradeException.Step;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Protection;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A callback that never ends and reacts to no interrupt, a loop for instance, costs its own thread and its
 * driver; or only its driver, where the callback is not that of a fault.
 */
@FaultlineTest
@Timeout(600)
class EndlessCallTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final String PATH = "/dev/loop";
  /** Its other calls are honest: a machine that stands still for a moment is not their fault. */
  private static final int LIMIT_MILLIS = 800;
  private static final int PATIENT_MILLIS = 600_000;
  private static final DeviceRegistration NODE =
      DeviceRegistration.of("loop").withTimeoutMillis(PATIENT_MILLIS);

  /** Where it does not end. */
  private enum In {
    NOWHERE, FILE_OPEN, MMAP, RELEASE,
    // With the address space locked for writing.
    OPEN, CLOSE, MAY_SPLIT, MREMAP, MPROTECT,
    // With it locked for reading.
    NOPAGE, POPULATE, PAGE_MKWRITE, MAP_PAGES,
    SELF_TEST, SAVE_STATE, RESTORE_STATE, ADOPT_FILE, ADOPT_AREA
  }

  /** One page after another, and an endless loop in one place until the test is over. */
  private final class Loop implements MmapProvider, VmOperations, HandOver {
    private final PageAllocator pages;
    private final In where;

    Loop(PageAllocator pages, In where) {
      this.pages = pages;
      this.where = where;
    }

    private void at(In here) {
      if (here != where) {
        return;
      }
      inside.countDown();
      loops.incrementAndGet();
      while (over.getCount() > 0) {
        LockSupport.parkNanos(1_000_000);
        boolean unused = Thread.interrupted();
      }
      loops.decrementAndGet();
    }

    @Override
    public void open(OpenFile file) {
      at(In.FILE_OPEN);
    }

    @Override
    public void release(OpenFile file) {
      at(In.RELEASE);
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(this);
      at(In.MMAP);
      // Too late: nobody is there to be told.
      if (where == In.MMAP) {
        failure.complete(catchThrowable(() -> request.setOperations(this)));
      }
    }

    @Override
    public void open(Vma vma) {
      at(In.OPEN);
    }

    @Override
    public void close(Vma vma) {
      at(In.CLOSE);
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      at(In.NOPAGE);
      try {
        return Nopage.minor(pages.allocate());
      } catch (ErrnoException none) {
        return Nopage.OOM;
      }
    }

    @Override
    public void populate(
        Vma vma, long address, long length, Protection protection, long pageOffset,
        boolean nonblock, PageMapper mapper) {
      at(In.POPULATE);
    }

    @Override
    public void mapPages(Vma vma, long firstPage, long lastPage, PageMapper mapper) {
      at(In.MAP_PAGES);
      if (where == In.MAP_PAGES) {
        failure.complete(catchThrowable(() -> mapper.insertPage(vma.start(), pages.allocate())));
      }
    }

    @Override
    public Nopage pageMkwrite(Vma vma, long address, Page page) {
      at(In.PAGE_MKWRITE);
      return Nopage.minor(page);
    }

    @Override
    public void maySplit(Vma vma, long address) {
      at(In.MAY_SPLIT);
    }

    @Override
    public void mremap(Vma vma) {
      at(In.MREMAP);
    }

    @Override
    public void mprotect(Vma vma, long start, long end, VmFlags flags) {
      at(In.MPROTECT);
    }

    @Override
    public void selfTest() {
      at(In.SELF_TEST);
    }

    @Override
    public void saveState(int index, StateWriter out) {
      at(In.SAVE_STATE);
      if (where == In.SAVE_STATE) {
        failure.complete(catchThrowable(() -> out.writeLong(1)));
      }
    }

    @Override
    public void restoreState(int index, int version, StateReader in) {
      at(In.RESTORE_STATE);
      if (where == In.RESTORE_STATE) {
        failure.complete(catchThrowable(in::readPage));
      }
    }

    @Override
    public void adopt(OpenFile file) {
      at(In.ADOPT_FILE);
    }

    @Override
    public void adopt(Adoption area) {
      at(In.ADOPT_AREA);
      Throwable told = catchThrowable(() -> area.setOperations(this));
      if (where == In.ADOPT_AREA) {
        failure.complete(told);
      }
    }
  }

  private final BootedKernel kernel;
  private final Program program;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch inside = new CountDownLatch(1);
  private final CountDownLatch over = new CountDownLatch(1);
  private final AtomicInteger loops = new AtomicInteger();
  /** What a callback that ends too late is told, or null. */
  private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

  EndlessCallTest(BootedKernel kernel) {
    this.kernel = kernel;
    program = kernel.spawn();
  }

  /** All threads come back, late: that must do no harm either. */
  @AfterEach
  void letGo() throws InterruptedException {
    over.countDown();
    threads.close();
    while (loops.get() > 0) {
      Thread.sleep(1);
    }
    kernel.validate();
  }

  private AutoCloseable register(In where) {
    return register(1, where);
  }

  private AutoCloseable register(int version, In where) {
    DeviceRegistration wanted = node(where).withVersion(version + ".0.0");
    return kernel.devices().register(wanted, new Loop(kernel.pages(wanted), where));
  }

  private static DeviceRegistration node(In where) {
    return where == In.NOWHERE ? NODE : NODE.withTimeoutMillis(LIMIT_MILLIS);
  }

  private void upgrade(AutoCloseable old, In where) throws UpgradeException {
    DeviceRegistration wanted = node(where).withVersion("2.0.0");
    AutoCloseable unused =
        kernel.devices()
            .replace(old, wanted, new Loop(kernel.pages(wanted), where), done -> {
            });
  }

  private long map(int pages) throws ErrnoException {
    return program.mmapShared(program.open(PATH, AccessMode.READ_WRITE), (long) pages * PAGE, 0);
  }

  private long anonymous() throws ErrnoException {
    return program.mmap(
        -1, PAGE, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
  }

  /** A thread of the program touches a page, and does not come back. */
  private CompletableFuture<Throwable> touch(long address) throws InterruptedException {
    return touch(address, Access.WRITE);
  }

  private CompletableFuture<Throwable> touch(long address, Access access)
      throws InterruptedException {
    CompletableFuture<Throwable> touching =
        CompletableFuture.supplyAsync(
            () -> catchThrowable(() -> {
              if (access == Access.WRITE) {
                program.task().newCpu().putByte(address, (byte) 1);
              } else {
                byte unused = program.task().newCpu().getByte(address);
              }
            }),
            threads);
    inside.await();
    return touching;
  }

  private void assertQuarantined() {
    while (kernel.problems().stream().noneMatch(line -> line.contains("reacts to no interrupt"))) {
      LockSupport.parkNanos(1_000_000);
    }
    assertThat(kernel.devices().find(PATH).orElseThrow().state()).isEqualTo(State.QUARANTINED);
    assertThat(kernel.problems()).anyMatch(
        line -> line.contains(PATH) && line.contains("given up") && line.contains("quarantined"));
  }

  // ---- in a fault ------------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(names = {"NOPAGE", "PAGE_MKWRITE", "MAP_PAGES"})
  void otherAreasCanBeUnmappedAndMapped(In where) throws Exception {
    AutoCloseable unused = register(where);
    long address = map(4);
    long other = anonymous();
    // Pages around are mapped for who reads.
    CompletableFuture<Throwable> touching =
        touch(address, where == In.MAP_PAGES ? Access.READ : Access.WRITE);

    program.munmap(other, PAGE);
    program.memory().putLong(anonymous(), 1);

    assertThat(touching).as("it has not ended").isNotDone();
    assertQuarantined();
  }

  @Test
  void aPageThatIsInsertedTooLateIsRefused() throws Exception {
    AutoCloseable unused = register(In.MAP_PAGES);
    long address = map(4);
    CompletableFuture<Throwable> touching = touch(address, Access.READ);
    program.munmap(address, 4L * PAGE);

    over.countDown();

    assertThat(touching.get()).isInstanceOf(SignalException.class);
    assertThat(failure.get()).isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("good only during the callback");
  }

  @Test
  void soCanItsOwn() throws Exception {
    AutoCloseable unused = register(In.NOPAGE);
    long address = map(4);
    CompletableFuture<Throwable> touching = touch(address);

    program.munmap(address, 4L * PAGE);

    assertThat(touching).isNotDone();
    assertThat(program.areas()).noneMatch(area -> area.start() == address);
  }

  @Test
  void theProcessCanEnd() throws Exception {
    AutoCloseable unused = register(In.NOPAGE);
    CompletableFuture<Throwable> touching = touch(map(4));

    kernel.tasks().exit(program.task(), 0);

    assertThat(touching).isNotDone();
    assertThat(program.task().end()).isEqualTo("exited 0");
  }

  @Test
  void theDriverCanBeRemoved() throws Exception {
    AutoCloseable driver = register(In.NOPAGE);
    long address = map(4);
    CompletableFuture<Throwable> touching = touch(address);

    driver.close();

    assertThat(touching).isNotDone();
    assertThat(kernel.devices().find(PATH).orElseThrow().state()).isEqualTo(State.GONE);
    assertThat(catchThrowable(() -> program.memory().getByte(address + PAGE)))
        .isInstanceOf(SignalException.class);
  }

  @Test
  void theDriverCanBeUpgradedAndTheOtherPagesComeFromTheNewVersion() throws Exception {
    AutoCloseable old = register(In.NOPAGE);
    long address = map(4);
    CompletableFuture<Throwable> touching = touch(address);
    // An upgrade waits for that too, but not for as long as a busy machine may take.
    assertQuarantined();

    upgrade(old, In.NOWHERE);

    assertThat(touching).isNotDone();
    program.memory().putLong(address, 7);
    assertThat(program.memory().getLong(address)).isEqualTo(7);
  }

  @Test
  void itsThreadGetsSigbusShouldItComeBack() throws Exception {
    AutoCloseable unused = register(In.NOPAGE);
    CompletableFuture<Throwable> touching = touch(map(4));
    assertQuarantined();

    over.countDown();

    assertThat(touching.get()).isInstanceOf(SignalException.class)
        .hasMessageContaining("SIGBUS").hasMessageContaining("given up");
    // And that thread can work as before.
    program.memory().putLong(anonymous(), 1);
  }

  @Test
  void populateThatDoesNotEndLetsOthersMapMeanwhile() throws Exception {
    AutoCloseable unused = register(In.POPULATE);
    int fd = program.open(PATH, AccessMode.READ_WRITE);
    CompletableFuture<Throwable> mapping =
        CompletableFuture.supplyAsync(
            () -> catchThrowable(() -> program.mmap(
                fd, PAGE, Mman.PROT_READ, Mman.MAP_SHARED | Mman.MAP_POPULATE, 0)),
            threads);
    inside.await();

    program.munmap(anonymous(), PAGE);

    assertThat(mapping).isNotDone();
    over.countDown();
    assertThat(mapping.get()).as("as of a populate that fails").isNull();
  }

  // ---- in a call ---------------------------------------------------------------------------------

  private Throwable call(In where) throws Exception {
    AutoCloseable unused = register(where);
    if (where == In.FILE_OPEN) {
      return catchThrowable(() -> program.open(PATH, AccessMode.READ_WRITE));
    }
    int fd = program.open(PATH, AccessMode.READ_WRITE);
    if (where == In.MMAP) {
      return catchThrowable(() -> program.mmapShared(fd, PAGE, 0));
    }
    long address = program.mmapShared(fd, 4L * PAGE, 0);
    return catchThrowable(() -> {
      switch (where) {
        case OPEN -> kernel.tasks().exit(program.fork().task(), 0);
        case CLOSE -> program.munmap(address, 4L * PAGE);
        case MAY_SPLIT -> program.munmap(address + PAGE, PAGE);
        case MREMAP -> {
          long far = program.mmap(-1, 16L * PAGE, 0, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
          program.munmap(far, 16L * PAGE);
          kernel.vmas().mremap(
              program.task(), address, 4L * PAGE, 4L * PAGE,
              Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED, far);
        }
        case MPROTECT -> program.mprotect(address, PAGE, Mman.PROT_READ);
        case RELEASE -> {
          program.munmap(address, 4L * PAGE);
          program.close(fd);
        }
        default -> throw new IllegalArgumentException(where.name());
      }
    });
  }

  @ParameterizedTest
  @EnumSource(names = {"FILE_OPEN", "MMAP", "MAY_SPLIT", "MREMAP", "MPROTECT"})
  void whatMayBeRefusedFailsAndTheCallerGoesOn(In where) throws Exception {
    Throwable refusal = call(where);

    assertThat(refusal).isInstanceOf(ErrnoException.class).hasMessageContaining("took longer");
    assertThat(((ErrnoException) refusal).errno()).isEqualTo(Errno.ETIMEDOUT);
    assertGoesOn();
  }

  @ParameterizedTest
  @EnumSource(names = {"OPEN", "CLOSE", "RELEASE"})
  void whatCannotBeRefusedIsDone(In where) throws Exception {
    assertThat(call(where)).isNull();
    assertGoesOn();
  }

  private void assertGoesOn() throws Exception {
    assertThat(loops).as("it has not ended").hasPositiveValue();
    assertQuarantined();
    kernel.validate();
    program.memory().putLong(anonymous(), 1);
    program.munmap(anonymous(), PAGE);
    kernel.tasks().exit(program.task(), 0);
    assertThat(program.task().end()).isEqualTo("exited 0");
  }

  @Test
  void aRequestThatIsOverTakesNoAnswers() throws Exception {
    Throwable unused = call(In.MMAP);
    letGo();
    assertThat(failure.get()).isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("good only during mmap");
  }

  // ---- in a hand-over ------------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(names = {"SELF_TEST", "RESTORE_STATE", "ADOPT_FILE", "ADOPT_AREA"})
  void anUpgradeFailsAtThatStepAndTheOldVersionServesOn(In where) throws Exception {
    AutoCloseable old = register(In.NOWHERE);
    assertUpgradeFails(old, where);
  }

  @Test
  void soItDoesWhenTheOldOneDoesNotSave() throws Exception {
    AutoCloseable old = register(In.SAVE_STATE);
    assertUpgradeFails(old, In.NOWHERE);
  }

  private void assertUpgradeFails(AutoCloseable old, In where) throws Exception {
    long address = map(4);
    program.memory().putLong(address, 5);

    UpgradeException refusal =
        catchThrowableOfType(UpgradeException.class, () -> upgrade(old, where));

    assertThat(refusal.step()).isEqualTo(
        switch (where) {
          case SELF_TEST -> Step.SELF_TEST;
          case RESTORE_STATE -> Step.RESTORE;
          case ADOPT_FILE, ADOPT_AREA -> Step.ADOPT;
          default -> Step.SAVE;
        });
    assertThat(refusal).hasMessageContaining("took longer");
    assertThat(loops).as("it has not ended").hasPositiveValue();
    assertThat(kernel.devices().find(PATH).orElseThrow().state()).isEqualTo(State.SERVING);
    assertThat(program.memory().getLong(address)).isEqualTo(5);
    program.memory().putLong(address + PAGE, 6);
    program.munmap(anonymous(), PAGE);
    kernel.validate();

    letGo();
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(6);
    if (where == In.ADOPT_AREA) {
      assertThat(failure.get()).isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("good only during adopt");
    } else if (where == In.RESTORE_STATE || where == In.NOWHERE) {
      assertThat(failure.get()).isInstanceOf(java.io.IOException.class)
          .hasMessageContaining("has returned");
    }
  }

  @Test
  void aDriverThatDoesNotSaveIsRemovedAndNothingIsKept() throws Exception {
    kernel.keptBytes(1 << 20);
    AutoCloseable old = register(In.SAVE_STATE);
    long address = map(4);

    old.close();

    assertThat(kernel.problems()).anyMatch(line -> line.contains("is not kept"));
    assertThat(catchThrowable(() -> program.memory().getByte(address)))
        .isInstanceOf(SignalException.class);
  }

  // ---- on a thread that is not the caller's ----------------------------------------------------------

  @Test
  void aCallBackIntoTheSameSpaceIsRefusedAtOnceAllTheSame() throws Exception {
    AutoCloseable unused =
        kernel.devices().register(NODE, new MmapProvider() {
          @Override
          public void mmap(OpenFile file, MmapRequest request) {
            failure.complete(catchThrowable(() -> anonymous()));
          }
        });
    long mapped = map(1);
    assertThat(mapped).isPositive();
    assertThat(failure.get()).isInstanceOf(ErrnoException.class)
        .hasMessageContaining("called back");
    assertThat(kernel.problems()).isEmpty();
  }

  @Test
  void anInterruptOfTheCallerIsTheDrivers() throws Exception {
    AutoCloseable unused =
        kernel.devices().register(NODE, new MmapProvider() {
          @Override
          public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
            inside.countDown();
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              throw new ErrnoException(Errno.EINTR, "interrupted");
            }
          }
        });
    int fd = program.open(PATH, AccessMode.READ_WRITE);
    Thread mapping =
        Thread.ofPlatform()
            .start(() -> failure.complete(catchThrowable(() -> program.mmapShared(fd, PAGE, 0))));
    inside.await();
    mapping.interrupt();
    mapping.join();
    assertThat(((ErrnoException) failure.get()).errno()).isEqualTo(Errno.EINTR);
  }
}
