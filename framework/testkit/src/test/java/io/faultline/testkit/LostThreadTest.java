// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.faultline.device.AccessMode;
import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.FileSystem;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a thread that is lost in a driver must not take with it, nor touch when it comes back. Each kernel
 * is looked over for frames that are left when its test is over.
 */
@FaultlineTest(memory = 4 << 20)
@Timeout(600)
class LostThreadTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final String PATH = "/dev/loop";
  /** Its other calls are honest: a machine that stands still for a moment is not their fault. */
  private static final int LIMIT_MILLIS = 800;
  private static final DeviceRegistration NODE =
      DeviceRegistration.of("loop").withTimeoutMillis(LIMIT_MILLIS);

  private final BootedKernel kernel;
  private final Program program;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch inside = new CountDownLatch(1);
  private final CountDownLatch over = new CountDownLatch(1);
  private final AtomicInteger loops = new AtomicInteger();
  /** What the honest driver met. */
  private volatile Throwable refused;

  LostThreadTest(BootedKernel kernel) {
    this.kernel = kernel;
    program = kernel.spawn();
  }

  @AfterEach
  void letGo() throws InterruptedException {
    over.countDown();
    threads.close();
    while (loops.get() > 0) {
      Thread.sleep(1);
    }
    kernel.validate();
  }

  private void loop(Runnable body) {
    loops.incrementAndGet();
    inside.countDown();
    while (over.getCount() > 0) {
      body.run();
      boolean unused = Thread.interrupted();
    }
    loops.decrementAndGet();
  }

  private void loop() {
    loop(() -> LockSupport.parkNanos(1_000_000));
  }

  private void register(VmOperations operations) {
    AutoCloseable unused = kernel.devices().register(NODE, new MmapProvider() {
      @Override
      public void mmap(OpenFile file, MmapRequest request) {
        request.setOperations(operations);
      }
    });
  }

  private CompletableFuture<Throwable> touch(long address, Access access) {
    return CompletableFuture.supplyAsync(
        () -> catchThrowable(() -> {
          UserMemory memory = program.task().newCpu();
          if (access == Access.WRITE) {
            memory.putByte(address, (byte) 1);
          } else {
            byte unused = memory.getByte(address);
          }
        }),
        threads);
  }

  private void awaitGivenUp() {
    while (kernel.problems().stream().noneMatch(line -> line.contains("reacts to no interrupt"))) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static long anonymous(Program by, int pages) throws ErrnoException {
    return by.mmap(
        -1, (long) pages * PAGE, Mman.PROT_READ | Mman.PROT_WRITE,
        Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
  }

  // ---- devices -----------------------------------------------------------------------------------

  /** The page for the copy is there before the driver is asked. */
  @Test
  void aPrivateWriteThatIsGivenUpLeavesNoPageBehind() throws Exception {
    register(new VmOperations() {
      @Override
      public Nopage nopage(Vma vma, long address, Access access) {
        loop();
        return Nopage.SIGBUS;
      }
    });
    long address = program.mmapPrivate(program.open(PATH, AccessMode.READ_WRITE), PAGE, 0);
    CompletableFuture<Throwable> touching = touch(address, Access.WRITE);
    awaitGivenUp();

    over.countDown();

    assertThat(touching.get()).isInstanceOf(SignalException.class);
  }

  @Test
  void aDriverThatDoesNotReturnFromCloseIsNotToldOfEveryOtherArea() throws Exception {
    register(new VmOperations() {
      @Override
      public void close(Vma vma) {
        loop();
      }
    });
    int fd = program.open(PATH, AccessMode.READ_WRITE);
    for (int i = 0; i < 20; i++) {
      long unused = program.mmapShared(fd, PAGE, 0);
    }

    program.exit();

    assertThat(program.task().end()).isEqualTo("exited 0");
    assertThat(loops.get()).as("threads that are lost").isBetween(1, 2);
    assertThat(kernel.devices().find(PATH).orElseThrow().state()).isEqualTo(State.QUARANTINED);
  }

  @Test
  void onceRestoredItIsToldAgain() throws Exception {
    AtomicInteger closed = new AtomicInteger();
    register(new VmOperations() {
      @Override
      public void close(Vma vma) {
        if (over.getCount() > 0) {
          loop();
        } else {
          closed.incrementAndGet();
        }
      }
    });
    int fd = program.open(PATH, AccessMode.READ_WRITE);
    long[] areas = new long[4];
    for (int i = 0; i < areas.length; i++) {
      areas[i] = program.mmapShared(fd, PAGE, 0);
    }
    for (int i = 0; i < areas.length - 1; i++) {
      program.munmap(areas[i], PAGE);
    }
    over.countDown();
    while (loops.get() > 0) {
      Thread.sleep(1);
    }

    assertThat(kernel.restore(PATH)).isEqualTo(1);
    program.munmap(areas[areas.length - 1], PAGE);

    assertThat(closed).hasPositiveValue();
  }

  /** What it holds there just now is in use, and must not be taken away: it lets go of it itself. */
  @Test
  void aDriverThatLoopsReadingAnotherProcessHarmsThatOneInNoWay() throws Exception {
    Program other = kernel.spawn();
    long there = anonymous(other, 1);
    other.memory().putByte(there, (byte) 7);
    AtomicInteger wrong = new AtomicInteger();
    register(new VmOperations() {
      @Override
      public Nopage nopage(Vma vma, long address, Access access) {
        loop(() -> {
          try {
            // Unmapped, so that each is a fault, and takes the lock.
            byte unused = other.task().newCpu().getByte(there + 64L * PAGE);
            wrong.incrementAndGet();
          } catch (SignalException expected) {
            // Nothing is mapped there.
          }
        });
        return Nopage.SIGBUS;
      }
    });
    long address = program.mmapShared(program.open(PATH, AccessMode.READ_WRITE), PAGE, 0);
    CompletableFuture<Throwable> touching = touch(address, Access.READ);
    inside.await();
    while (kernel.problems().stream().noneMatch(line -> line.contains("reacts to no interrupt"))) {
      long more = anonymous(other, 2);
      other.memory().putByte(more, (byte) 1);
      other.munmap(more, 2L * PAGE);
    }

    program.munmap(address, PAGE);
    over.countDown();

    assertThat(touching.get()).isInstanceOf(SignalException.class);
    assertThat(other.memory().getByte(there)).isEqualTo((byte) 7);
    assertThat(wrong).hasValue(0);
    other.exit();
  }

  // ---- who is to blame -----------------------------------------------------------------------------

  private static void provoke(DeviceRegistration node, BootedKernel in, Runnable nopage) {
    AutoCloseable unused = in.devices().register(node, new MmapProvider() {
      @Override
      public void mmap(OpenFile file, MmapRequest request) {
        request.setOperations(new VmOperations() {
          @Override
          public Nopage nopage(Vma vma, long address, Access access) {
            nopage.run();
            return Nopage.SIGBUS;
          }
        });
      }
    });
  }

  private State stateOf(String path) {
    return kernel.devices().find(path).orElseThrow().state();
  }

  @Test
  void aDriverThatTouchesTheMemoryOfOneThatLoopsIsNotQuarantinedWithIt() throws Exception {
    register(new VmOperations() {
      @Override
      public Nopage nopage(Vma vma, long address, Access access) {
        loop();
        return Nopage.SIGBUS;
      }
    });
    Program other = kernel.spawn();
    long there = other.mmapShared(other.open(PATH, AccessMode.READ_WRITE), PAGE, 0);
    provoke(
        DeviceRegistration.of("honest").withTimeoutMillis(LIMIT_MILLIS), kernel,
        () -> refused = catchThrowable(() -> other.task().newCpu().getByte(there)));
    long here =
        program.mmapShared(program.open("/dev/honest", AccessMode.READ_WRITE), PAGE, 0);
    CompletableFuture<Throwable> touching = touch(here, Access.READ);
    inside.await();

    program.munmap(here, PAGE);
    other.munmap(there, PAGE);

    while (stateOf(PATH) != State.QUARANTINED) {
      LockSupport.parkNanos(1_000_000);
    }
    assertThat(stateOf("/dev/honest")).isEqualTo(State.SERVING);
    over.countDown();
    assertThat(touching.get()).isInstanceOf(SignalException.class);
    assertThat(refused).isInstanceOf(SignalException.class);
    other.exit();
  }

  @Test
  void norIsOneThatOpensADeviceThatDoesNotOpen() throws Exception {
    AutoCloseable unused = kernel.devices().register(NODE, new MmapProvider() {
      @Override
      public void open(OpenFile file) {
        loop();
      }
    });
    Program other = kernel.spawn();
    provoke(
        DeviceRegistration.of("honest").withTimeoutMillis(LIMIT_MILLIS), kernel,
        () -> refused = catchThrowable(() -> other.open(PATH, AccessMode.READ_WRITE)));
    long here =
        program.mmapShared(program.open("/dev/honest", AccessMode.READ_WRITE), PAGE, 0);

    assertThat(touch(here, Access.READ).get()).isInstanceOf(SignalException.class);

    assertThat(stateOf(PATH)).isEqualTo(State.QUARANTINED);
    assertThat(stateOf("/dev/honest")).isEqualTo(State.SERVING);
    assertThat(refused).hasMessageContaining("took longer");
    other.exit();
  }

  // ---- files whose pages the kernel keeps ----------------------------------------------------------

  /** One file of four pages. */
  private abstract static class Disk implements FileSystem, AddressSpaceOperations {
    private final Inode inode =
        Inode.builder(FileKind.REGULAR, "/disk/f").identity(new DeviceNumber(8, 1), 100)
            .fileSystem("disk", false).size(4L * PAGE).pageCache(this).build();

    @Override
    public Inode lookup(String path, AccessMode mode) {
      return inode;
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      request.setPageCache();
    }

    @Override
    public void readPages(Inode of, long firstPage, MemorySegment[] pages) {}

    @Override
    public void writePages(Inode of, long firstPage, MemorySegment[] pages) {}
  }

  private long mapped(Program by) throws ErrnoException {
    return by.mmapShared(by.open("/disk/f", AccessMode.READ_WRITE), 4L * PAGE, 0);
  }

  /** The page is locked while it is read: others that want it would wait for ever. */
  @Test
  void aFileThatCannotBeReadIsSigbusForAll() throws Exception {
    AutoCloseable mount = kernel.devices().mount("/disk", NODE, new Disk() {
      @Override
      public void readPages(Inode of, long firstPage, MemorySegment[] pages) {
        loop();
      }
    });
    Program second = kernel.spawn();
    long here = mapped(program);
    long there = mapped(second);
    CompletableFuture<Throwable> touching = touch(here, Access.READ);
    inside.await();

    assertThat(catchThrowable(() -> second.memory().getByte(there)))
        .isInstanceOf(SignalException.class);
    assertThat(touching.get()).isInstanceOf(SignalException.class);
    assertThat(loops).as("it has not ended").hasPositiveValue();
    second.exit();
    program.exit();
    mount.close();
  }

  /** The driver still has the memory of the page that it was to fill. */
  @Test
  void memoryThatALostDriverMayStillWriteToIsNobodyElses() throws Exception {
    CountDownLatch written = new CountDownLatch(1);
    AutoCloseable mount = kernel.devices().mount("/disk", NODE, new Disk() {
      @Override
      public void readPages(Inode of, long firstPage, MemorySegment[] pages) {
        loop();
        for (MemorySegment page : pages) {
          page.fill((byte) 0x5a);
        }
        written.countDown();
      }
    });
    long address = mapped(program);
    assertThat(touch(address, Access.READ).get()).isInstanceOf(SignalException.class);
    int pages = 512;
    long fresh = anonymous(program, pages);
    for (int i = 0; i < pages; i++) {
      program.memory().putByte(fresh + (long) i * PAGE, (byte) 1);
    }

    over.countDown();
    written.await();
    for (int i = 0; i < pages; i++) {
      assertThat(program.memory().getByte(fresh + (long) i * PAGE + 1)).isZero();
    }
    program.exit();
    mount.close();
  }

  @Test
  void aFileThatCannotBeStoredCanBeUnmappedAndClosed() throws Exception {
    AutoCloseable mount = kernel.devices().mount("/disk", NODE, new Disk() {
      @Override
      public void writePages(Inode of, long firstPage, MemorySegment[] pages) {
        loop();
      }
    });
    long address = mapped(program);
    for (int i = 0; i < 4; i++) {
      program.memory().putByte(address + (long) i * PAGE, (byte) 1);
    }

    program.munmap(address, 4L * PAGE);
    program.exit();

    assertThat(program.task().end()).isEqualTo("exited 0");
    assertThat(loops.get()).as("threads that are lost").isBetween(1, 2);
    mount.close();
    assertThat(kernel.problems()).anyMatch(line -> line.contains("dirty pages are lost"));
  }
}
