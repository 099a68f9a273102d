// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.file;

import static io.faultline.mm.Mman.MADV_RANDOM;
import static io.faultline.mm.Mman.MADV_SEQUENTIAL;
import static io.faultline.mm.Mman.MADV_WILLNEED;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.MREMAP_MAYMOVE;
import static io.faultline.mm.Mman.MS_ASYNC;
import static io.faultline.mm.Mman.MS_SYNC;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.Kernel;
import io.faultline.core.memory.FrameCounts;
import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.FaultResult;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What processes see of files whose pages the kernel keeps. */
class PageCacheFileTest {
  private static final int RW = PROT_READ | PROT_WRITE;

  private final List<String> problems = new ArrayList<>();
  private final Kernel kernel =
      new Kernel(64 << 20, KernelProfile.LINUX_6_18, (message, trace) -> problems.add(message));
  private final FrameCounts atBoot = kernel.frames();
  private final StoredFiles disk = new StoredFiles();
  private final AutoCloseable mount =
      kernel.devices().mount("/disk", DeviceRegistration.of("stored"), disk);
  private final Task task = kernel.tasks().spawn("reader");
  private final UserMemory memory = task.newCpu();

  @AfterEach
  void everythingAgreesAndEveryFrameComesBack() {
    kernel.validate();
    disk.writeFailure = null;
    kernel.tasks().list().forEach(t -> kernel.tasks().exit(t, 0));
    kernel.validate();
    kernel.writeback(0);
    assertThat(kernel.frames()).isEqualTo(atBoot);
    assertThat(kernel.files().pageCache().cached()).isZero();
    assertThat(kernel.files().pageCache().dirty()).isZero();
    kernel.close();
  }

  private int open(String name) throws ErrnoException {
    return open(task, name);
  }

  private int open(Task by, String name) throws ErrnoException {
    return kernel.files().open(by, "/disk/" + name, AccessMode.READ_WRITE);
  }

  private long map(int fd, int pages, int prot, int flags) throws ErrnoException {
    return map(task, fd, pages, prot, flags);
  }

  private long map(Task by, int fd, int pages, int prot, int flags) throws ErrnoException {
    return kernel.calls().mmap(by, 0, (long) pages * PAGE_SIZE, prot, flags, fd, 0);
  }

  private void sync(long address, int pages) throws ErrnoException {
    kernel.calls().msync(task, address, (long) pages * PAGE_SIZE, MS_SYNC);
  }

  private String read(int fd, long at, int length) throws ErrnoException {
    byte[] bytes = new byte[length];
    kernel.files().seek(task, fd, at);
    int count = kernel.files().read(task, fd, MemorySegment.ofArray(bytes));
    return new String(bytes, 0, count, StandardCharsets.ISO_8859_1);
  }

  private void write(int fd, long at, String text) throws ErrnoException {
    kernel.files().seek(task, fd, at);
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    assertThat(kernel.files().write(task, fd, MemorySegment.ofArray(bytes)))
        .isEqualTo(bytes.length);
  }

  private void assertSigbus(long address) {
    assertThatThrownBy(() -> memory.getByte(address))
        .isInstanceOfSatisfying(
            SignalException.class,
            e -> assertThat(e.info().code()).isEqualTo(SignalCode.BUS_ADRERR));
  }

  private List<String> vmstat(String... names) {
    return kernel.proc().vmstat().lines()
        .filter(line -> List.of(names).contains(line.split(" ")[0])).toList();
  }

  @Test
  void vmstatCountsWhatIsReadMadeDirtyAndWritten() throws ErrnoException {
    disk.add("f", 4 * PAGE_SIZE);
    long p = map(open("f"), 4, RW, MAP_SHARED);
    // Read ahead: all four.
    memory.getByte(p);
    memory.putByte(p, (byte) 1);
    memory.putByte(p + PAGE_SIZE, (byte) 1);
    memory.putByte(p + PAGE_SIZE + 1, (byte) 2);
    assertThat(vmstat("nr_dirty", "nr_dirtied", "nr_written", "pgpgin", "pgpgout"))
        .containsExactly(
            "nr_dirty 2", "nr_dirtied 2", "nr_written 0", "pgpgin 16", "pgpgout 0");
    sync(p, 4);
    memory.putByte(p, (byte) 3);
    assertThat(vmstat("nr_dirty", "nr_dirtied", "nr_written", "pgpgin", "pgpgout"))
        .containsExactly(
            "nr_dirty 1", "nr_dirtied 3", "nr_written 2", "pgpgin 16", "pgpgout 8");
  }

  private FaultResult touch(long address) {
    return kernel.faults().handle(task, address, Access.READ);
  }

  @Test
  void aMappingShowsTheFile() throws ErrnoException {
    disk.add("f", 3 * PAGE_SIZE);
    long p = map(open("f"), 3, PROT_READ, MAP_PRIVATE);

    assertThat(memory.getByte(p)).isEqualTo((byte) 'A');
    assertThat(memory.getByte(p + 2 * PAGE_SIZE + 5)).isEqualTo((byte) 'C');
    assertThat(kernel.proc().maps(task)).contains(" 08:01 100 ").contains("/disk/f");
  }

  @Test
  void theFirstTouchIsMajorAndTheNextOnesFindThePageInMemory() throws ErrnoException {
    disk.add("f", 3 * PAGE_SIZE);
    int fd = open("f");
    long p = map(fd, 3, PROT_READ, MAP_PRIVATE);
    long q = map(fd, 3, PROT_READ, MAP_PRIVATE);

    assertThat(touch(p)).isEqualTo(FaultResult.MAJOR);
    assertThat(touch(q)).isEqualTo(FaultResult.MINOR);
    assertThat(disk.takeCalls("read")).containsExactly("read 0+3");
  }

  @Test
  void readAheadDoublesItsWindowAsLongAsTheMissesGoOn() throws ErrnoException {
    disk.add("f", 200 * PAGE_SIZE);
    long p = map(open("f"), 200, PROT_READ, MAP_SHARED);

    for (int page = 0; page < 100; page++) {
      memory.getByte(p + (long) page * PAGE_SIZE);
    }

    assertThat(disk.takeCalls("read")).containsExactly(
        "read 0+4", "read 4+8", "read 12+16", "read 28+32", "read 60+32", "read 92+32");
  }

  @Test
  void randomAdviceReadsSinglePagesAndSequentialAdviceTwiceAsMany() throws ErrnoException {
    disk.add("f", 200 * PAGE_SIZE);
    disk.add("g", 200 * PAGE_SIZE);
    long p = map(open("f"), 200, PROT_READ, MAP_SHARED);
    kernel.calls().madvise(task, p, 200 * PAGE_SIZE, MADV_RANDOM);
    long q = map(open("g"), 200, PROT_READ, MAP_SHARED);
    kernel.calls().madvise(task, q, 200 * PAGE_SIZE, MADV_SEQUENTIAL);

    for (int page = 0; page < 3; page++) {
      memory.getByte(p + (long) page * PAGE_SIZE);
    }
    assertThat(disk.takeCalls("read")).containsExactly("read 0+1", "read 1+1", "read 2+1");
    for (int page = 0; page < 100; page++) {
      memory.getByte(q + (long) page * PAGE_SIZE);
    }
    assertThat(disk.takeCalls("read"))
        .containsExactly("read 0+8", "read 8+16", "read 24+32", "read 56+64");
  }

  @Test
  void willNeedReadsBeforeAnyTouch() throws ErrnoException {
    disk.add("f", 40 * PAGE_SIZE);
    long p = map(open("f"), 40, PROT_READ, MAP_SHARED);

    kernel.calls().madvise(task, p, 40 * PAGE_SIZE, MADV_WILLNEED);

    assertThat(disk.takeCalls("read")).containsExactly("read 0+32", "read 32+8");
    assertThat(touch(p + 39 * PAGE_SIZE)).isEqualTo(FaultResult.MINOR);
    assertThat(disk.takeCalls("read")).isEmpty();
  }

  @Test
  void aFaultMapsWhatIsInMemoryAroundIt() throws ErrnoException {
    disk.add("f", 64 * PAGE_SIZE);
    int fd = open("f");
    assertThat(read(fd, 0, 64 * PAGE_SIZE)).hasSize(64 * PAGE_SIZE);
    long p = map(fd, 64, PROT_READ, MAP_SHARED);
    long before = kernel.faults().counts(task).minor();

    for (int page = 0; page < 64; page++) {
      memory.getByte(p + (long) page * PAGE_SIZE);
    }

    // The mapping may begin anywhere within 16 pages.
    assertThat(kernel.faults().counts(task).minor() - before).isBetween(4L, 5L);
  }

  @Test
  void behindTheEndIsSigbusAndTheTailReadsAsZeros() throws ErrnoException {
    disk.add("f", PAGE_SIZE + 10);
    long p = map(open("f"), 4, RW, MAP_SHARED);

    assertThat(memory.getByte(p + PAGE_SIZE + 9)).isEqualTo((byte) 'B');
    assertThat(memory.getByte(p + PAGE_SIZE + 10)).isZero();
    assertThat(memory.getByte(p + 2 * PAGE_SIZE - 1)).isZero();
    assertSigbus(p + 2 * PAGE_SIZE);
  }

  @Test
  void whatIsStoredBehindTheEndNeverReachesTheFile() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 10);
    long p = map(open("f"), 1, RW, MAP_SHARED);

    memory.putByte(p + 9, (byte) 'x');
    memory.putByte(p + 10, (byte) 'y');
    sync(p, 1);

    assertThat(f.bytes).hasSize(10);
    assertThat(f.text(0, 10)).isEqualTo("AAAAAAAAAx");
    write(task.files().firstKey(), 20, "z");
    assertThat(read(task.files().firstKey(), 9, 12)).isEqualTo("x" + "\0".repeat(10) + "z");
  }

  @Test
  void msyncWritesWhatAMappingStored() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 3 * PAGE_SIZE);
    long p = map(open("f"), 3, RW, MAP_SHARED);

    memory.putByte(p + PAGE_SIZE, (byte) 'x');
    assertThat(kernel.files().pageCache().dirty()).isEqualTo(1);
    kernel.calls().msync(task, p, 3 * PAGE_SIZE, MS_ASYNC);
    assertThat(f.text(PAGE_SIZE, PAGE_SIZE + 2)).isEqualTo("BB");
    sync(p, 1);
    assertThat(f.text(PAGE_SIZE, PAGE_SIZE + 2)).isEqualTo("BB");
    sync(p, 3);

    assertThat(f.text(PAGE_SIZE, PAGE_SIZE + 2)).isEqualTo("xB");
    assertThat(disk.takeCalls("write")).containsExactly("write 1+1");
    assertThat(kernel.files().pageCache().dirty()).isZero();
  }

  @Test
  void aPageThatWasWrittenBackIsNoticedWhenItIsWrittenAgain() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", PAGE_SIZE);
    long p = map(open("f"), 1, RW, MAP_SHARED);
    for (char c = 'a'; c < 'f'; c++) {
      memory.putByte(p, (byte) c);
      kernel.validate();
      sync(p, 1);
      kernel.validate();
      assertThat(f.text(0, 1)).isEqualTo(String.valueOf(c));
    }
    assertThat(disk.takeCalls("mkwrite")).hasSize(5);
  }

  @Test
  void writeProtectionReachesAMappingThatWasMoved() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 4 * PAGE_SIZE);
    long p = map(open("f"), 4, RW, MAP_SHARED);
    memory.putByte(p + PAGE_SIZE, (byte) 'x');
    long q = kernel.calls().mremap(
        task, p, 4 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE, 0);
    sync(q, 4);
    memory.putByte(q + PAGE_SIZE, (byte) 'y');
    sync(q, 4);

    assertThat(f.text(PAGE_SIZE, PAGE_SIZE + 1)).isEqualTo("y");
  }

  @Test
  void munmapAndExitWriteBack() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 2 * PAGE_SIZE);
    int fd = open("f");
    long p = map(fd, 1, RW, MAP_SHARED);
    memory.putByte(p, (byte) 'x');
    kernel.calls().munmap(task, p, PAGE_SIZE);
    assertThat(f.text(0, 1)).isEqualTo("x");

    Task other = kernel.tasks().spawn("other");
    long q = map(other, open(other, "f"), 2, RW, MAP_SHARED);
    other.newCpu().putByte(q + PAGE_SIZE, (byte) 'y');
    kernel.tasks().exit(other, 0);
    assertThat(f.text(PAGE_SIZE, PAGE_SIZE + 1)).isEqualTo("y");
  }

  @Test
  void pagesOutliveTheMappingAsLongAsTheFileIsOpen() throws ErrnoException {
    disk.add("f", 2 * PAGE_SIZE);
    int fd = open("f");
    long p = map(fd, 2, PROT_READ, MAP_SHARED);
    memory.getByte(p);
    kernel.calls().munmap(task, p, 2 * PAGE_SIZE);
    assertThat(kernel.frames().file()).isEqualTo(2);

    kernel.files().close(task, fd);
    assertThat(kernel.frames().file()).isZero();
  }

  @Test
  void processesAndReadSeeEachOthersWrites() throws ErrnoException {
    disk.add("f", PAGE_SIZE);
    int fd = open("f");
    long p = map(fd, 1, RW, MAP_SHARED);
    Task other = kernel.tasks().spawn("other");
    long q = map(other, open(other, "f"), 1, RW, MAP_SHARED);
    UserMemory his = other.newCpu();

    memory.putByte(p, (byte) 'x');
    assertThat(his.getByte(q)).isEqualTo((byte) 'x');
    his.putByte(q + 1, (byte) 'y');
    assertThat(read(fd, 0, 3)).isEqualTo("xyA");
    write(fd, 2, "z");
    assertThat(his.getByte(q + 2)).isEqualTo((byte) 'z');
  }

  @Test
  void aPrivateMappingKeepsItsCopies() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 2 * PAGE_SIZE);
    int fd = open("f");
    long p = map(fd, 2, RW, MAP_PRIVATE);
    memory.getByte(p + PAGE_SIZE);
    memory.putByte(p, (byte) 'x');
    memory.putByte(p + PAGE_SIZE, (byte) 'y');
    sync(p, 2);
    write(fd, 0, "w");

    assertThat(memory.getByte(p)).isEqualTo((byte) 'x');
    assertThat(read(fd, PAGE_SIZE, 1)).isEqualTo("B");
    assertThat(f.text(0, 1)).isEqualTo("A");
  }

  @Test
  void truncationUnmapsPrivateCopiesTooAndZeroesTheTail() throws ErrnoException {
    disk.add("f", 3 * PAGE_SIZE);
    int fd = open("f");
    long p = map(fd, 3, RW, MAP_PRIVATE);
    long q = map(fd, 3, RW, MAP_SHARED);
    memory.putByte(p, (byte) 'x');
    memory.putByte(p + 2 * PAGE_SIZE, (byte) 'y');
    memory.putByte(q + 2 * PAGE_SIZE, (byte) 'z');
    Task child = kernel.tasks().fork(task);

    kernel.files().ftruncate(task, fd, PAGE_SIZE + 1);
    kernel.validate();

    assertThat(memory.getByte(p)).isEqualTo((byte) 'x');
    assertSigbus(p + 2 * PAGE_SIZE);
    assertSigbus(q + 2 * PAGE_SIZE);
    assertThatThrownBy(() -> child.newCpu().getByte(p + 2 * PAGE_SIZE))
        .isInstanceOf(SignalException.class);
    kernel.files().ftruncate(task, fd, 3 * PAGE_SIZE);
    assertThat(memory.getByte(q + PAGE_SIZE)).isEqualTo((byte) 'B');
    assertThat(memory.getByte(q + PAGE_SIZE + 1)).isZero();
    assertThat(memory.getByte(q + 2 * PAGE_SIZE)).isZero();
    assertThat(memory.getByte(p + 2 * PAGE_SIZE)).isZero();
  }

  @Test
  void aFileThatBecameShorterBehindTheBackIsNoticedByTheNextLook() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 3 * PAGE_SIZE);
    long p = map(open("f"), 3, RW, MAP_SHARED);
    memory.putByte(p + 2 * PAGE_SIZE, (byte) 'x');

    f.changeBehindTheBack(PAGE_SIZE);
    assertThat(memory.getByte(p + 2 * PAGE_SIZE)).isEqualTo((byte) 'x');
    kernel.writeback(1);

    assertSigbus(p + 2 * PAGE_SIZE);
    assertThat(f.bytes).hasSize(PAGE_SIZE);
    assertThat(kernel.files().pageCache().dirty()).isZero();
  }

  @Test
  void aDriverThatShortensItsFileByItselfIsHeardAtOnce() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 3 * PAGE_SIZE);
    long p = map(open("f"), 3, RW, MAP_SHARED);
    memory.putByte(p + PAGE_SIZE, (byte) 'x');

    f.inode.resize(PAGE_SIZE);

    assertSigbus(p + PAGE_SIZE);
  }

  @Test
  void writeMakesTheFileLongerAndMsyncStoresIt() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 10);
    int fd = open("f");
    long p = map(fd, 3, RW, MAP_SHARED);
    write(fd, PAGE_SIZE + 3, "end");

    assertThat(memory.getByte(p + PAGE_SIZE + 3)).isEqualTo((byte) 'e');
    assertThat(memory.getByte(p + 10)).isZero();
    assertThat(f.bytes).hasSize(10);
    kernel.files().fsync(task, fd);
    assertThat(f.bytes).hasSize(PAGE_SIZE + 6);
    assertThat(f.text(PAGE_SIZE, PAGE_SIZE + 6)).isEqualTo("\0\0\0end");
    assertThat(disk.takeCalls("sync")).hasSize(1);
  }

  @Test
  void aPageThatCannotBeReadIsSigbusForItselfAloneAndTriedAgain() throws ErrnoException {
    disk.add("f", 8 * PAGE_SIZE);
    disk.badPage = 2;
    disk.readFailure = new IOException("bad sector");
    long p = map(open("f"), 8, PROT_READ, MAP_SHARED);

    assertThat(memory.getByte(p)).isEqualTo((byte) 'A');
    assertThatThrownBy(() -> memory.getByte(p + 2 * PAGE_SIZE))
        .isInstanceOf(SignalException.class).hasMessageContaining("bad sector");
    assertThat(memory.getByte(p + 3 * PAGE_SIZE)).isEqualTo((byte) 'D');
    disk.readFailure = null;
    assertThat(memory.getByte(p + 2 * PAGE_SIZE)).isEqualTo((byte) 'C');
  }

  @Test
  void aWriteErrorIsToldOnceToEachOpenFileAndLosesNothing() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 2 * PAGE_SIZE);
    int fd = open("f");
    int second = open("f");
    long p = map(fd, 2, RW, MAP_SHARED);
    memory.putByte(p, (byte) 'x');
    memory.putByte(p + PAGE_SIZE, (byte) 'y');
    disk.writeFailure = new ErrnoException(Errno.ENOSPC, "the disk is full");

    kernel.writeback(0);
    assertThat(kernel.files().pageCache().dirty()).isEqualTo(2);
    assertThat(problems).singleElement().asString().contains("the disk is full");
    disk.writeFailure = null;
    kernel.writeback(0);

    assertThat(f.text(0, 1)).isEqualTo("x");
    assertThat(f.text(PAGE_SIZE, PAGE_SIZE + 1)).isEqualTo("y");
    assertThatThrownBy(() -> sync(p, 2))
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
    sync(p, 2);
    assertThatThrownBy(() -> kernel.files().fsync(task, second)).isInstanceOf(ErrnoException.class);
    kernel.files().fsync(task, second);
    kernel.files().fsync(task, open("f"));
  }

  @Test
  void dirtyPagesOfAClosedFileStayUntilTheyCanBeStored() throws ErrnoException {
    StoredFiles.Stored f = disk.add("f", 2 * PAGE_SIZE);
    int fd = open("f");
    write(fd, 0, "new");
    disk.writeFailure = new ErrnoException(Errno.EIO, "pulled out");
    kernel.files().close(task, fd);
    assertThat(kernel.frames().file()).isEqualTo(1);
    kernel.validate();

    assertThat(read(open("f"), 0, 3)).isEqualTo("new");
    kernel.files().close(task, 0);
    disk.writeFailure = null;
    kernel.writeback(0);
    assertThat(f.text(0, 3)).isEqualTo("new");
    assertThat(kernel.frames().file()).isZero();
  }

  @Test
  void pageMkwriteMayRefuse() throws ErrnoException {
    disk.add("f", PAGE_SIZE);
    disk.refuseMkwrite = true;
    long p = map(open("f"), 1, RW, MAP_SHARED);

    assertThatThrownBy(() -> memory.putByte(p, (byte) 1))
        .isInstanceOf(SignalException.class).hasMessageContaining("no room for page 0");
    assertThat(memory.getByte(p)).isEqualTo((byte) 'A');
    assertThatThrownBy(() -> memory.putByte(p, (byte) 1)).isInstanceOf(SignalException.class);
    assertThat(kernel.files().pageCache().dirty()).isZero();
  }

  @Test
  void aDriverThatHangsCostsThatAccess() throws Exception {
    mount.close();
    AutoCloseable impatient =
        kernel.devices().mount(
            "/disk", DeviceRegistration.of("stored").withTimeoutMillis(2000), disk);
    disk.add("f", PAGE_SIZE);
    disk.hang = true;
    long p = map(open("f"), 1, PROT_READ, MAP_SHARED);
    Thread watchdog =
        Thread.ofPlatform().daemon().start(
            () -> {
              while (!Thread.interrupted()) {
                kernel.watchdog().run();
              }
            });
    try {
      assertSigbus(p);
      disk.hang = false;
      assertThat(memory.getByte(p)).isEqualTo((byte) 'A');
    } finally {
      watchdog.interrupt();
      watchdog.join();
      impatient.close();
    }
  }

  @Test
  void unmountingStoresWhatIsDirtyAndTakesThePagesAway() throws Exception {
    StoredFiles.Stored f = disk.add("f", 2 * PAGE_SIZE);
    int fd = open("f");
    long p = map(fd, 2, RW, MAP_SHARED);
    memory.putByte(p, (byte) 'x');

    mount.close();
    kernel.validate();

    assertThat(f.text(0, 1)).isEqualTo("x");
    assertSigbus(p);
    assertThat(kernel.frames().file()).isZero();
    assertThatThrownBy(() -> read(fd, 0, 1)).hasMessageContaining("is gone");
    assertThatThrownBy(() -> open("f")).hasMessageContaining("there is no /disk/f");
  }

  @Test
  void theLongestMountPointAndWholeNamesDecide() {
    assertThatThrownBy(() -> kernel.files().open(task, "/disk/none", AccessMode.READ_ONLY))
        .hasToString("ENOENT (No such file or directory): path: there is no /none");
    assertThatThrownBy(() -> kernel.files().open(task, "/disk/../f", AccessMode.READ_ONLY))
        .hasMessageContaining("is no name of a file");
    assertThatThrownBy(() -> kernel.files().open(task, "/disks/f", AccessMode.READ_ONLY))
        .hasMessageContaining("there is no /disks/f");
    assertThatThrownBy(
        () -> kernel.devices().mount("/dev/x", DeviceRegistration.of("stored"), disk))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
        () -> kernel.devices().mount("/disk", DeviceRegistration.of("stored"), disk))
        .hasMessageContaining("is taken");
  }
}
