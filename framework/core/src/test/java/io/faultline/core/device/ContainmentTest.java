// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.device.DeviceRig.START;
import static io.faultline.core.device.DeviceRig.operations;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.area.Area;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.kernel.DeviceInfo;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever a driver does costs the one call, is counted, and is told with the driver's name. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ContainmentTest {
  private final DeviceRig rig = new DeviceRig();

  @AfterEach
  void close() {
    rig.close();
  }

  /** A nopage that the test supplies. */
  private interface Filler {
    @SuppressWarnings("NullAway") // some of them do what NullAway would forbid
    Nopage fill(long address) throws Throwable;
  }

  private static VmOperations filling(Filler filler) {
    return new VmOperations() {
      @Override
      public Nopage nopage(Vma vma, long address, Access access) {
        try {
          return filler.fill(address);
        } catch (Throwable t) {
          throw ContainmentTest.<RuntimeException>sneaky(t);
        }
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> T sneaky(Throwable t) throws T {
    throw (T) t;
  }

  private Nopage fault(Filler filler) throws ErrnoException {
    Area area = rig.mapped("bad", filling(filler));
    return operations(area).nopage(area, START, Access.READ);
  }

  private void assertOneError(String... words) {
    DeviceInfo info = rig.info("bad");
    assertThat(info.errors()).isEqualTo(1);
    assertThat(info.lastError()).contains("/dev/bad", "test.bad 1.2.3").contains(words);
    rig.awaitLog();
    assertThat(rig.log).hasSize(1).first().asString().contains(words);
  }

  private static void assertErrno(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(
        ErrnoException.class, e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
  }

  @Test
  void aGoodPageIsHandedOnWithItsReference() throws Exception {
    Page page = rig.pages.allocate();

    Nopage answer = fault(address -> Nopage.major(page.get()));

    assertThat(answer.page()).isSameAs(page);
    assertThat(page.referenceCount()).isEqualTo(2);
    assertThat(rig.info("bad")).extracting(DeviceInfo::faults, DeviceInfo::errors)
        .containsExactly(1L, 0L);
  }

  @Test
  void sigbusIsAnAnswerAndNoError() throws Exception {
    assertThat(fault(address -> Nopage.SIGBUS)).isSameAs(Nopage.SIGBUS);
    assertThat(rig.info("bad").errors()).isZero();
  }

  @Test
  void theRefusalNamesDeviceAndAddress() throws Exception {
    Area area = rig.mapped("bad", filling(address -> Nopage.SIGBUS));
    operations(area).nopage(area, START + 0x2000, Access.READ);

    assertThat(operations(area).lastRefusal()).contains("/dev/bad", "0x7f0000002000");
  }

  @Test
  void oomIsHandedOn() throws Exception {
    assertThat(fault(address -> Nopage.OOM)).isSameAs(Nopage.OOM);
    assertThat(rig.info("bad").errors()).isZero();
  }

  @Test
  void anExceptionBecomesSigbus() throws Exception {
    assertThat(fault(address -> {
      throw new IllegalStateException("no such quantum");
    })).isSameAs(Nopage.SIGBUS);
    assertOneError("nopage", "IllegalStateException", "no such quantum");
  }

  @Test
  void aLinkageErrorBecomesSigbus() throws Exception {
    assertThat(fault(address -> {
      throw new NoClassDefFoundError("com/example/Gone");
    })).isSameAs(Nopage.SIGBUS);
    assertOneError("NoClassDefFoundError", "com/example/Gone");
  }

  @Test
  void aStackOverflowBecomesSigbus() throws Exception {
    assertThat(fault(new Filler() {
      @Override
      public Nopage fill(long address) throws Throwable {
        return address == 0 ? Nopage.SIGBUS : fill(address + 1);
      }
    })).isSameAs(Nopage.SIGBUS);
    assertOneError("StackOverflowError");
  }

  @Test
  void anOutOfMemoryErrorBecomesOom() throws Exception {
    assertThat(fault(address -> {
      throw new OutOfMemoryError("heap");
    })).isSameAs(Nopage.OOM);
    assertOneError("OutOfMemoryError");
  }

  @Test
  void anExceptionWhoseOwnMethodsThrowBecomesSigbus() throws Exception {
    class Vicious extends RuntimeException {
      private static final long serialVersionUID = 1L;

      @Override
      public String getMessage() {
        throw new IllegalStateException("and again");
      }

      @Override
      public StackTraceElement[] getStackTrace() {
        throw new IllegalStateException("and again");
      }
    }

    assertThat(fault(address -> {
      throw new Vicious();
    })).isSameAs(Nopage.SIGBUS);
    assertOneError("Vicious");
  }

  @Test
  @SuppressWarnings("NullAway") // that is the point
  void nullBecomesSigbus() throws Exception {
    assertThat(fault(address -> null)).isSameAs(Nopage.SIGBUS);
    assertOneError("null");
  }

  @Test
  void aFreedPageBecomesSigbus() throws Exception {
    Page page = rig.pages.allocate();
    page.put();

    assertThat(fault(address -> Nopage.minor(page))).isSameAs(Nopage.SIGBUS);
    assertOneError("freed");
  }

  @Test
  void aPageOfAnotherKernelBecomesSigbus() throws Exception {
    try (PhysicalMemory other = new PhysicalMemory(16 * 4096)) {
      Page page = other.page(other.zeroFrame());
      assertThat(fault(address -> Nopage.minor(page))).isSameAs(Nopage.SIGBUS);
    }
    assertOneError("not of this kernel");
  }

  @Test
  void aPageOfTheDriversOwnMakingBecomesSigbus() throws Exception {
    Page forged = new Page() {
      @Override
      public long frameNumber() {
        return 1;
      }

      @Override
      public MemorySegment segment() {
        return MemorySegment.ofArray(new byte[4096]);
      }

      @Override
      public int referenceCount() {
        return 1;
      }

      @Override
      public Page get() {
        return this;
      }

      @Override
      public void put() {}
    };

    assertThat(fault(address -> Nopage.minor(forged))).isSameAs(Nopage.SIGBUS);
    assertOneError("not of this kernel");
  }

  @Test
  void aHangIsInterruptedAndBecomesSigbus() throws Exception {
    rig.limit(DeviceRig.LIMIT_MILLIS);
    long before = System.nanoTime();
    Nopage answer = fault(address -> {
      Thread.sleep(600_000);
      return Nopage.SIGBUS;
    });

    assertThat(answer).isSameAs(Nopage.SIGBUS);
    assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(
        TimeUnit.MILLISECONDS.toNanos(DeviceRig.LIMIT_MILLIS));
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertOneError(DeviceRig.LIMIT_MILLIS + " ms");
  }

  @Test
  void aDriverThatSwallowsInterruptsIsInterruptedAgain() throws Exception {
    rig.limit(DeviceRig.LIMIT_MILLIS);
    int[] swallowed = new int[1];
    Nopage answer = fault(address -> {
      while (swallowed[0] < 3) {
        try {
          Thread.sleep(600_000);
        } catch (InterruptedException e) {
          swallowed[0]++;
        }
      }
      return Nopage.SIGBUS;
    });

    assertThat(answer).isSameAs(Nopage.SIGBUS);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertOneError(DeviceRig.LIMIT_MILLIS + " ms");
  }

  @Test
  void aPageThatComesTooLateIsPutBack() throws Exception {
    rig.limit(DeviceRig.LIMIT_MILLIS);
    Page page = rig.pages.allocate();

    Nopage answer = fault(address -> {
      while (!Thread.interrupted()) {
        LockSupport.parkNanos(1_000_000);
      }
      return Nopage.minor(page.get());
    });

    assertThat(answer).isSameAs(Nopage.SIGBUS);
    assertThat(page.referenceCount()).isEqualTo(1);
  }

  @Test
  void theCallersOwnInterruptSurvivesAHang() throws Exception {
    rig.limit(DeviceRig.LIMIT_MILLIS);
    Area area = rig.mapped("bad", filling(address -> {
      boolean unused = Thread.interrupted();
      while (!Thread.interrupted()) {
        LockSupport.parkNanos(1_000_000);
      }
      return Nopage.SIGBUS;
    }));
    Thread.currentThread().interrupt();

    operations(area).nopage(area, START, Access.READ);

    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void theNextFaultIsAsGoodAsIfNothingHadHappened() throws Exception {
    Page page = rig.pages.allocate();
    int[] calls = new int[1];
    Area area = rig.mapped("bad", filling(address -> {
      if (calls[0]++ == 0) {
        throw new IllegalStateException("once");
      }
      return Nopage.minor(page.get());
    }));

    assertThat(operations(area).nopage(area, START, Access.READ)).isSameAs(Nopage.SIGBUS);
    assertThat(operations(area).nopage(area, START, Access.READ).page()).isSameAs(page);
  }

  @Test
  void aDriverThatFailsAtEveryFaultDoesNotFillTheLog() throws Exception {
    Area area = rig.mapped("bad", filling(address -> {
      throw new IllegalStateException("always");
    }));
    for (int i = 0; i < 5_000; i++) {
      operations(area).nopage(area, START, Access.READ);
    }

    assertThat(rig.info("bad").errors()).isEqualTo(5_000);
    assertThat(rig.log).hasSizeBetween(10, 25);
  }

  @Test
  void callsNestedWithoutEndAreEnded() throws Exception {
    AtomicReference<Area> self = new AtomicReference<>();
    int[] depth = new int[1];
    Area area = rig.mapped("bad", filling(address -> {
      depth[0]++;
      Area me = self.get();
      return operations(me).nopage(me, address, Access.READ);
    }));
    self.set(area);

    assertThat(operations(area).nopage(area, START, Access.READ)).isSameAs(Nopage.SIGBUS);
    assertThat(depth[0]).isEqualTo(CallSlot.MAX_DEPTH);
    assertOneError("nested");
  }

  @Test
  void openAndCloseThatThrowAreCountedAndDoNotThrow() throws Exception {
    Area area = rig.mapped("bad", new VmOperations() {
      @Override
      public void open(Vma vma) {
        throw new IllegalStateException("open");
      }

      @Override
      public void close(Vma vma) {
        throw new LinkageError("close");
      }
    });

    operations(area).open(area);
    operations(area).close(area);

    assertThat(rig.info("bad").errors()).isEqualTo(2);
    assertThat(rig.log).hasSize(2);
  }

  @Test
  void whatMaySplitThrowsIsTheSystemCallsError() throws Exception {
    Area area = rig.mapped("bad", new VmOperations() {
      @Override
      public void maySplit(Vma vma, long address) throws ErrnoException {
        throw new ErrnoException(Errno.EINVAL, "huge pages do not split");
      }
    });

    assertErrno(Errno.EINVAL, () -> operations(area).maySplit(area, START + 4096));
    assertThat(rig.info("bad").errors()).isZero();
    assertThat(operations(area).lastRefusal()).contains("huge pages do not split");
  }

  @Test
  void aBrokenMaySplitMremapOrMprotectIsEio() throws Exception {
    Area area = rig.mapped("bad", new VmOperations() {
      @Override
      public void maySplit(Vma vma, long address) {
        throw new IllegalStateException();
      }

      @Override
      public void mremap(Vma vma) {
        throw new IllegalStateException();
      }

      @Override
      public void mprotect(Vma vma, long start, long end, VmFlags flags) {
        throw new IllegalStateException();
      }
    });

    assertErrno(Errno.EIO, () -> operations(area).maySplit(area, START + 4096));
    assertErrno(Errno.EIO, () -> operations(area).mremap(area));
    assertErrno(
        Errno.EIO, () -> operations(area).mprotect(area, START, START + 4096, VmFlags.NONE));
    assertThat(rig.info("bad").errors()).isEqualTo(3);
  }

  @Test
  void pageMkwriteAllowsOnlyThePageItWasAskedFor() throws Exception {
    Page page = rig.pages.allocate();
    Page other = rig.pages.allocate();
    List<Nopage> answers =
        new ArrayList<>(List.of(Nopage.minor(page), Nopage.SIGBUS, Nopage.minor(other)));
    Area area = rig.mapped("bad", new VmOperations() {
      @Override
      public Nopage pageMkwrite(Vma vma, long address, Page asked) {
        return answers.removeFirst();
      }
    });

    Page asked = rig.memory.page(page.frameNumber());
    assertThat(operations(area).pageMkwrite(area, START, asked)).isTrue();
    assertThat(operations(area).pageMkwrite(area, START, asked)).isFalse();
    assertThat(rig.info("bad").errors()).isZero();
    assertThat(operations(area).pageMkwrite(area, START, asked)).isFalse();
    assertOneError("another page");
  }

  @Test
  void aPageMapperIsGoodUntilTheCallbackReturns() throws Exception {
    AtomicReference<PageMapper> kept = new AtomicReference<>();
    Page page = rig.pages.allocate();
    Area area = rig.mapped("bad", new VmOperations() {
      @Override
      public void mapPages(Vma vma, long firstPage, long lastPage, PageMapper pages) {
        kept.set(pages);
      }
    });
    List<Long> installed = new ArrayList<>();

    operations(area).mapPages(area, 0, 3, (address, p) -> installed.add(address));

    assertThatThrownBy(() -> kept.get().insertPage(START, page))
        .isInstanceOf(IllegalStateException.class);
    assertThat(installed).isEmpty();
  }

  @Test
  void aPageMapperTakesOnlyLivePagesForItsOwnArea() throws Exception {
    Page page = rig.pages.allocate();
    Page freed = rig.pages.allocate();
    freed.put();
    List<Errno> refused = new ArrayList<>();
    Area area = rig.mapped("bad", new VmOperations() {
      @Override
      public void populate(
          Vma vma, long address, long length, Protection protection, long pageOffset,
          boolean nonblock, PageMapper pages)
          throws ErrnoException {
        pages.insertPage(address, page);
        tryInsert(pages, vma.end(), page);
        tryInsert(pages, address - 4096, page);
        tryInsert(pages, address + 1, page);
        tryInsert(pages, address + 4096, freed);
      }

      private void tryInsert(PageMapper pages, long address, Page p) {
        try {
          pages.insertPage(address, p);
        } catch (ErrnoException e) {
          refused.add(e.errno());
        }
      }
    });
    List<Long> installed = new ArrayList<>();

    operations(area).populate(
        area, START, 4 * 4096, Protection.READ, 0, false,
        (address, p) -> installed.add(address));

    assertThat(installed).containsExactly(START);
    assertThat(refused).containsExactly(Errno.EFAULT, Errno.EFAULT, Errno.EFAULT, Errno.EINVAL);
  }

  /** A provider all of whose methods fail. */
  private static final class Failing implements MmapProvider {
    private final AtomicBoolean opens;

    Failing(AtomicBoolean opens) {
      this.opens = opens;
    }

    @Override
    public void open(OpenFile file) {
      if (!opens.get()) {
        throw new IllegalStateException("open");
      }
    }

    @Override
    public void release(OpenFile file) {
      throw new IllegalStateException("release");
    }

    @Override
    public int read(OpenFile file, long offset, MemorySegment target) {
      throw new IllegalStateException("read");
    }

    @Override
    public int write(OpenFile file, long offset, MemorySegment source) {
      return (int) source.byteSize() + 1;
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      throw new IllegalStateException("mmap");
    }

    @Override
    @SuppressWarnings("NullAway") // that is the point
    public Placement placement() {
      return null;
    }

    @Override
    public boolean supportsMapSync() {
      throw new IllegalStateException("supportsMapSync");
    }
  }

  @Test
  void brokenFileOperationsFailTheCallAndNothingElse() throws Exception {
    AtomicBoolean opens = new AtomicBoolean();
    Driver unused = rig.table.register(rig.hasty("bad"), new Failing(opens));

    assertErrno(Errno.EIO, () -> rig.open("bad"));
    assertThat(rig.info("bad").openFiles()).isZero();

    opens.set(true);
    OpenFileObject file = rig.open("bad");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(10);
      assertErrno(Errno.EIO, () -> file.read(0, buffer));
      assertErrno(Errno.EIO, () -> file.write(0, buffer));
    }
    assertErrno(Errno.EIO, () -> file.mmap(rig.request(1)));
    assertThat(file.placement()).isEqualTo(Placement.DEFAULT);
    assertThat(file.supportsMapSync()).isFalse();
    file.release();

    assertThat(rig.info("bad").errors()).isEqualTo(7);
    assertThat(rig.info("bad").openFiles()).isZero();
  }

  @Test
  void anOpenThatSucceedsTooLateFailsAndIsReleased() throws Exception {
    rig.limit(DeviceRig.LIMIT_MILLIS);
    int[] released = new int[1];
    Driver unused = rig.table.register(rig.hasty("bad"), new MmapProvider() {
      @Override
      public void open(OpenFile file) {
        while (!Thread.interrupted()) {
          LockSupport.parkNanos(1_000_000);
        }
      }

      @Override
      public void release(OpenFile file) {
        released[0]++;
      }
    });

    assertErrno(Errno.ETIMEDOUT, () -> rig.open("bad"));
    assertThat(released[0]).isEqualTo(1);
    assertThat(rig.info("bad").openFiles()).isZero();
  }

  @Test
  void anMmapThatFailsGivesBackThePagesThatItInserted() throws Exception {
    Page page = rig.pages.allocate();
    Driver unused = rig.table.register(rig.hasty("bad"), new MmapProvider() {
      @Override
      public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
        request.insertPage(START, page);
        throw new ErrnoException(Errno.EAGAIN, "not today");
      }
    });

    assertErrno(Errno.EAGAIN, () -> rig.open("bad").mmap(rig.request(2)));
    assertThat(page.referenceCount()).isEqualTo(1);
    assertThat(rig.info("bad").errors()).isZero();
  }
}
