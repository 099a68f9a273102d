// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.RecordingDriver.address;
import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.MmapRequest;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlag;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When, and in which order, the kernel calls a driver for its areas. */
@FaultlineTest
class CallbackOrderTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;

  private final BootedKernel kernel;
  private final Program program;
  private final RecordingDriver driver;
  private final int fd;

  CallbackOrderTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    program = kernel.spawn();
    driver = new RecordingDriver(kernel.pages("recording"));
    AutoCloseable unused =
        kernel.devices().register(DeviceRegistration.of("recording"), driver);
    fd = program.open("/dev/recording", AccessMode.READ_WRITE);
  }

  // ---- what tests do ----------------------------------------------------------------------------

  /** Maps the device's pages of the same numbers. */
  private void map(int first, int end) throws ErrnoException {
    map(first, end, RW, Mman.MAP_SHARED);
  }

  private void map(int first, int end, int prot, int type) throws ErrnoException {
    long address =
        program.mmapAt(
            address(first), fd, bytes(end - first), prot, type | Mman.MAP_FIXED, bytes(first));
    assertThat(address).isEqualTo(address(first));
  }

  private void anonymous(int first, int end) throws ErrnoException {
    long address =
        program.mmapAt(
            address(first), -1, bytes(end - first), RW,
            Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS | Mman.MAP_FIXED, 0);
    assertThat(address).isEqualTo(address(first));
  }

  private void unmap(int first, int end) throws ErrnoException {
    program.munmap(address(first), bytes(end - first));
  }

  private void protect(int first, int end, int prot) throws ErrnoException {
    program.mprotect(address(first), bytes(end - first), prot);
  }

  private void move(int first, int end, int to) throws ErrnoException {
    remap(first, end - first, end - first, to);
  }

  private void remap(int first, int oldPages, int newPages, int to) throws ErrnoException {
    long address =
        kernel.vmas().mremap(
            program.task(), address(first), bytes(oldPages), bytes(newPages),
            Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED, address(to));
    assertThat(address).isEqualTo(address(to));
  }

  private static long bytes(int pages) {
    return (long) pages * PAGE;
  }

  private void touch(int page) {
    program.memory().touch(address(page), Access.READ);
  }

  /** The areas behind the base: {@code 0-4 rw-}. */
  private List<String> areas() {
    return areas(program);
  }

  private static List<String> areas(Program of) {
    return of.areas().stream()
        .filter(area -> area.start() >= address(0) && area.start() < address(1000))
        .map(
            area -> RecordingDriver.range(area.start(), area.end())
                + " " + Protection.ofFlags(area.flags()))
        .toList();
  }

  // ---- open -------------------------------------------------------------------------------------

  @Nested
  class Open {
    @Test
    void isNotCalledForTheFirstReference() throws ErrnoException {
      map(0, 4);

      assertThat(driver.take()).containsExactly("mmap 0-4");
    }

    @Test
    void isCalledForEveryAreaThatForkCopies() throws ErrnoException {
      map(0, 4);
      map(6, 7);
      driver.take();

      program.fork();

      assertThat(driver.take()).containsExactly("open 0-4 of process 2", "open 6-7 of process 2");
    }

    @Test
    void isNotCalledWhereForkCopiesNothing() throws ErrnoException {
      map(0, 4);
      program.madvise(address(0), bytes(4), Mman.MADV_DONTFORK);
      driver.take();

      Program child = program.fork();

      assertThat(driver.take()).isEmpty();
      assertThat(areas(child)).isEmpty();
    }

    @Test
    void comesBeforeForkCopiesThePages() throws ErrnoException {
      driver.completes(request -> {
        request.setOperations(driver.everything());
        request.insertPage(request.start(), driver.page(0));
      });
      map(0, 1);
      assertThat(driver.page(0).referenceCount()).isEqualTo(2);
      driver.during("open", vma -> assertThat(driver.page(0).referenceCount()).isEqualTo(2));

      program.fork();

      assertThat(driver.page(0).referenceCount()).as("the child's").isEqualTo(3);
      assertThat(kernel.problems()).isEmpty();
    }

    @Test
    void isCalledForTheNewHalfOfASplitOnly() throws ErrnoException {
      map(0, 4);
      driver.take();

      protect(0, 1, Mman.PROT_READ);
      assertThat(driver.take()).containsExactly(
          "mprotect 0-1 of 0-4 becomes r--", "maySplit 0-4 at 1", "open 1-4");

      protect(3, 4, Mman.PROT_READ);
      assertThat(driver.take()).containsExactly(
          "mprotect 3-4 of 1-4 becomes r--", "maySplit 1-4 at 3", "open 1-3");
    }

    @Test
    void isTakenBackWhereForkFailsHalfWay() throws ErrnoException {
      // Memory for one such process, not for two.
      KernelProfile strict = strict(64 << 20);
      try (BootedKernel small = BootedKernel.boot(16 << 20, strict)) {
        RecordingDriver other = new RecordingDriver(small.pages("recording"));
        AutoCloseable unused =
            small.devices().register(DeviceRegistration.of("recording"), other);
        Program parent = small.spawn();
        int file = parent.open("/dev/recording", AccessMode.READ_WRITE);
        long low =
            parent.mmapAt(address(0), file, bytes(4), RW, Mman.MAP_SHARED | Mman.MAP_FIXED, 0);
        long high =
            parent.mmap(-1, bytes(5000), RW, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
        assertThat(low).isLessThan(high);
        other.take();

        assertFails(Errno.ENOMEM, parent::fork);

        assertThat(other.take()).containsExactly("open 0-4 of process 2", "close 0-4 of process 2");
        assertThat(small.tasks().list()).containsExactly(parent.task());
      }
    }

    private static KernelProfile strict(long memoryBytes) {
      KernelProfile p = KernelProfile.LINUX_6_18;
      return new KernelProfile(
          "strict", p.taskSize(), p.mmapMinAddress(), p.lowestPlacement(), p.stackGuardGapPages(),
          p.maxMapCount(), memoryBytes, 0, KernelProfile.Overcommit.NEVER, p.overcommitRatio(),
          p.transparentHugePages(), p.protectionKeys(), p.freeHugePages());
    }
  }

  // ---- close ------------------------------------------------------------------------------------

  @Nested
  class Close {
    @Test
    void isCalledOnceForEachAreaAscending() throws ErrnoException {
      map(8, 9);
      map(0, 2);
      anonymous(2, 4);
      map(4, 6);
      driver.take();

      unmap(0, 100);

      assertThat(driver.take()).containsExactly("close 0-2", "close 4-6", "close 8-9");
    }

    @Test
    void isCalledForThePartThatIsUnmapped() throws ErrnoException {
      map(0, 4);
      driver.take();

      unmap(1, 3);

      assertThat(driver.take()).containsExactly(
          "maySplit 0-4 at 1", "open 0-1", "maySplit 1-4 at 3", "open 3-4", "close 1-3");
      assertThat(areas()).containsExactly("0-1 rw-", "3-4 rw-");
    }

    @Test
    void comesWhenThePagesOfAllAreasAreGone() throws ErrnoException {
      map(0, 1);
      map(2, 3);
      touch(0);
      touch(2);
      driver.during("close", vma -> {
        assertThat(driver.page(0).referenceCount()).isEqualTo(1);
        assertThat(driver.page(2).referenceCount()).isEqualTo(1);
      });

      unmap(0, 3);

      assertThat(kernel.problems()).isEmpty();
    }

    @Test
    void isCalledOnceForEachAreaWhenAProcessExits() throws ErrnoException {
      map(2, 3);
      map(0, 1);
      touch(0);
      touch(2);
      Program child = program.fork();
      driver.during("close", vma -> {
        // The parent's references and the driver's own.
        assertThat(driver.page(0).referenceCount()).isEqualTo(2);
        assertThat(driver.page(2).referenceCount()).isEqualTo(2);
      });
      driver.take();

      child.exit();
      child.exit();

      assertThat(driver.take()).containsExactly("close 0-1 of process 2", "close 2-3 of process 2");
      assertThat(kernel.problems()).isEmpty();
    }

    @Test
    void comesBeforeTheFileIsReleased() throws ErrnoException {
      map(0, 1);
      program.close(fd);
      assertThat(driver.take()).as("the area keeps the file open").containsExactly("mmap 0-1");

      unmap(0, 1);

      assertThat(driver.take()).containsExactly("close 0-1", "release");
    }
  }

  // ---- mmap -------------------------------------------------------------------------------------

  @Nested
  class Mmap {
    @Test
    void thatFailsIsNotClosed() throws ErrnoException {
      driver.completes(request -> {
        request.setOperations(driver.everything());
        throw new ErrnoException(Errno.EAGAIN, "not today");
      });

      assertFails(Errno.EAGAIN, () -> map(0, 4));

      assertThat(driver.take()).containsExactly("mmap 0-4");
      assertThat(areas()).isEmpty();
    }

    @Test
    void thatFailsGivesBackPagesAndFile() throws ErrnoException {
      driver.completes(request -> {
        request.setOperations(driver.everything());
        request.insertPage(request.start(), driver.page(0));
        throw new ErrnoException(Errno.EIO, "a page too late");
      });

      assertFails(Errno.EIO, () -> map(0, 4));
      assertThat(driver.page(0).referenceCount()).isEqualTo(1);

      driver.take();
      program.close(fd);
      assertThat(driver.take()).containsExactly("release");
    }

    @Test
    void comesWhenWhatWasThereIsClosed() throws ErrnoException {
      map(0, 4);
      touch(1);
      driver.completes(request -> {
        assertThat(driver.page(1).referenceCount()).as("the old page is gone").isEqualTo(1);
        request.setOperations(driver.everything());
      });
      driver.take();

      map(1, 2, Mman.PROT_READ, Mman.MAP_SHARED);

      assertThat(driver.take()).containsExactly(
          "maySplit 0-4 at 1", "open 0-1", "maySplit 1-4 at 2", "open 2-4", "close 1-2",
          "mmap 1-2");
      assertThat(areas()).containsExactly("0-1 rw-", "1-2 r--", "2-4 rw-");
    }

    @Test
    void thatFailsInAFixedPlaceLeavesAHole() throws ErrnoException {
      anonymous(0, 4);
      driver.completes(request -> {
        throw new ErrnoException(Errno.ENODEV, "no");
      });

      assertFails(Errno.ENODEV, () -> map(1, 2));

      assertThat(areas()).containsExactly("0-1 rw-", "2-4 rw-");
    }

    @Test
    void withoutOperationsIsSigbusAtATouch() throws ErrnoException {
      driver.completes(request -> {
      });
      map(0, 1);

      assertSigbus(address(0), () -> touch(0));
    }

    @Test
    void thatAsksForItIsZeroFilledMemory() throws ErrnoException {
      driver.completes(MmapRequest::setAnonymous);
      map(0, 1, RW, Mman.MAP_PRIVATE);

      assertThat(program.peek(address(0), 4)).isEqualTo("\0\0\0\0");
      program.poke(address(0), "mine");
      assertThat(program.peek(address(0), 4)).isEqualTo("mine");
    }
  }

  // ---- maySplit ---------------------------------------------------------------------------------

  @Nested
  class MaySplit {
    @Test
    void refusesAndNothingIsUnmapped() throws ErrnoException {
      map(0, 4);
      driver.during("maySplit", refusing(Errno.EINVAL));
      driver.take();

      assertFails(Errno.EINVAL, () -> unmap(1, 3));
      assertFails(Errno.EINVAL, () -> unmap(0, 3));
      assertFails(Errno.EINVAL, () -> protect(0, 2, Mman.PROT_READ));
      assertFails(Errno.EINVAL, () -> map(2, 3));

      assertThat(areas()).containsExactly("0-4 rw-");
      assertThat(driver.take()).allMatch(call -> call.matches("(maySplit|mprotect) .*"));
    }

    @Test
    void isNotAskedWhereAnAreaGoesAsAWhole() throws ErrnoException {
      map(0, 4);
      driver.during("maySplit", refusing(Errno.EINVAL));
      driver.take();

      unmap(0, 4);

      assertThat(driver.take()).containsExactly("close 0-4");
    }
  }

  // ---- mremap -----------------------------------------------------------------------------------

  @Nested
  class Mremap {
    @Test
    void ofAWholeAreaOpensTheNewMovesThePagesAndClosesTheOld() throws ErrnoException {
      map(0, 2);
      program.poke(address(1), "moved");
      driver.during("mremap", vma -> {
        assertThat(vma.start()).isEqualTo(address(10));
        assertThat(driver.page(1).referenceCount()).as("still mapped once").isEqualTo(2);
      });
      driver.take();

      move(0, 2, 10);

      assertThat(driver.take()).containsExactly("open 10-12", "mremap 10-12", "close 0-2");
      assertThat(program.peek(address(11), 5)).isEqualTo("moved");
      assertThat(driver.take()).as("the page went along").isEmpty();
      assertThat(kernel.problems()).isEmpty();
    }

    @Test
    void ofAPartAsksMaySplitAtBothEndsFirst() throws ErrnoException {
      map(0, 4);
      driver.take();

      move(1, 3, 10);

      assertThat(driver.take()).containsExactly(
          "maySplit 0-4 at 1", "maySplit 0-4 at 3", "open 10-12", "mremap 10-12",
          "maySplit 0-4 at 1", "open 0-1", "maySplit 1-4 at 3", "open 3-4", "close 1-3");
    }

    @Test
    void thatMaySplitRefusesChangesNothing() throws ErrnoException {
      map(0, 4);
      driver.during("maySplit", refusing(Errno.EBUSY));
      driver.take();

      assertFails(Errno.EBUSY, () -> move(1, 3, 10));

      assertThat(driver.take()).containsExactly("maySplit 0-4 at 1");
      assertThat(areas()).containsExactly("0-4 rw-");
    }

    @Test
    void thatTheDriverRefusesMovesThePagesBackAndUnmapsTheNew() throws ErrnoException {
      map(0, 2);
      program.poke(address(1), "stays");
      driver.during("mremap", refusing(Errno.EPERM));
      driver.take();

      assertFails(Errno.EPERM, () -> move(0, 2, 10));

      assertThat(driver.take()).containsExactly("open 10-12", "mremap 10-12", "close 10-12");
      assertThat(areas()).containsExactly("0-2 rw-");
      assertThat(program.peek(address(1), 5)).isEqualTo("stays");
      assertThat(driver.take()).as("the page came back").isEmpty();
    }

    @Test
    void thatGrowsInPlaceIsNoNewReference() throws ErrnoException {
      map(0, 2);
      driver.take();

      assertThat(program.mremap(address(0), bytes(2), bytes(4))).isEqualTo(address(0));

      assertThat(driver.take()).isEmpty();
      assertThat(areas()).containsExactly("0-4 rw-");
    }

    @Test
    void thatShrinksClosesTheRest() throws ErrnoException {
      map(0, 4);
      driver.take();

      assertThat(program.mremap(address(0), bytes(4), bytes(1))).isEqualTo(address(0));

      assertThat(driver.take()).containsExactly("maySplit 0-4 at 1", "open 0-1", "close 1-4");
    }

    @Test
    void ofLengthZeroOpensASecondMappingOfSharedMemory() throws ErrnoException {
      map(0, 2);
      program.poke(address(1), "twice");
      driver.take();

      remap(0, 0, 2, 10);

      assertThat(driver.take()).as("nothing is closed")
          .containsExactly("maySplit 0-2 at 0", "open 10-12", "mremap 10-12");
      assertThat(program.peek(address(11), 5)).isEqualTo("twice");
      assertThat(areas()).containsExactly("0-2 rw-", "10-12 rw-");
    }

    @Test
    void mustNotGrowAnAreaThatMustNotExpand() throws ErrnoException {
      driver.completes(request -> {
        request.addFlags(VmFlag.DONTEXPAND);
        request.setOperations(driver.everything());
      });
      map(0, 2);
      driver.take();

      assertFails(Errno.EFAULT, () -> program.mremap(address(0), bytes(2), bytes(4)));

      assertThat(driver.take()).isEmpty();
    }

    @Test
    void ofSeveralAreasOpensAndClosesOneAfterTheOther() throws ErrnoException {
      map(0, 1);
      map(2, 4);
      driver.take();

      move(0, 4, 10);

      assertThat(driver.take()).containsExactly(
          "open 10-11", "mremap 10-11", "close 0-1", "open 12-14", "mremap 12-14", "close 2-4");
      assertThat(areas()).containsExactly("10-11 rw-", "12-14 rw-");
    }
  }

  // ---- mprotect ---------------------------------------------------------------------------------

  @Nested
  class Mprotect {
    @Test
    void isShownToTheDriverBeforeTheSplit() throws ErrnoException {
      map(0, 4);
      driver.take();

      protect(1, 2, Mman.PROT_READ);

      assertThat(driver.take()).containsExactly(
          "mprotect 1-2 of 0-4 becomes r--", "maySplit 0-4 at 1", "open 0-1", "maySplit 1-4 at 2",
          "open 2-4");
      assertThat(areas()).containsExactly("0-1 rw-", "1-2 r--", "2-4 rw-");
    }

    @Test
    void thatTheDriverRefusesChangesNothing() throws ErrnoException {
      map(0, 4);
      driver.during("mprotect", refusing(Errno.EACCES));

      assertFails(Errno.EACCES, () -> protect(1, 2, Mman.PROT_READ));

      assertThat(areas()).containsExactly("0-4 rw-");
    }

    @Test
    void leavesTheAreasBelowARefusalChanged() throws ErrnoException {
      anonymous(0, 2);
      map(2, 4);
      driver.during("mprotect", refusing(Errno.EACCES));

      assertFails(Errno.EACCES, () -> protect(0, 4, Mman.PROT_READ));

      assertThat(areas()).containsExactly("0-2 r--", "2-4 rw-");
    }

    @Test
    void leavesTheAreasBelowAHoleChanged() throws ErrnoException {
      map(0, 2);

      assertFails(Errno.ENOMEM, () -> protect(0, 4, Mman.PROT_READ));

      assertThat(areas()).containsExactly("0-2 r--");
    }

    @Test
    void thatTheAreaForbidsIsNotShownToTheDriver() throws ErrnoException {
      driver.completes(request -> {
        request.removeFlags(VmFlag.MAYWRITE);
        request.setOperations(driver.everything());
      });
      map(0, 2, Mman.PROT_READ, Mman.MAP_SHARED);
      driver.take();

      assertFails(Errno.EACCES, () -> protect(0, 2, RW));

      assertThat(driver.take()).isEmpty();
    }
  }

  // ---- merging ----------------------------------------------------------------------------------

  @Nested
  class Merge {
    @Test
    void ofTwoNeighboursAndWhatIsBetweenMakesOneArea() throws ErrnoException {
      driver.completes(request -> request.setOperations(driver.nopageAlone()));
      map(0, 1);
      map(2, 3);
      driver.take();

      map(1, 2);

      assertThat(areas()).containsExactly("0-3 rw-");
      assertThat(driver.take()).as("a merge is no new area").isEmpty();
    }

    @Test
    void withCloseBothSidesBecomesLeft() throws ErrnoException {
      map(0, 1);
      map(2, 3);
      driver.take();

      map(1, 2);

      assertThat(areas()).containsExactly("0-2 rw-", "2-3 rw-");
      assertThat(driver.take()).isEmpty();
      unmap(0, 3);
      assertThat(driver.take()).containsExactly("close 0-2", "close 2-3");
    }

    @Test
    void joinsWhatMprotectHadParted() throws ErrnoException {
      driver.completes(request -> request.setOperations(driver.nopageAlone()));
      map(0, 4);

      protect(1, 2, Mman.PROT_READ);
      protect(1, 2, RW);

      assertThat(areas()).containsExactly("0-4 rw-");
    }

    @Test
    void withCloseLeavesPartedWhatMprotectHadParted() throws ErrnoException {
      map(0, 4);

      protect(1, 2, Mman.PROT_READ);
      protect(1, 2, RW);

      assertThat(areas()).containsExactly("0-1 rw-", "1-2 rw-", "2-4 rw-");
    }

    @Test
    void withCloseStillMovesTheBorderBetweenTwoAreas() throws ErrnoException {
      map(0, 4);
      protect(0, 2, Mman.PROT_READ);
      driver.take();

      protect(1, 2, RW);

      assertThat(areas()).containsExactly("0-1 r--", "1-4 rw-");
      assertThat(driver.take()).containsExactly("mprotect 1-2 of 0-2 becomes rw-");
    }

    @Test
    void needsTheSameOpenFile() throws ErrnoException {
      driver.completes(request -> request.setOperations(driver.nopageAlone()));
      map(0, 1);
      int other = program.open("/dev/recording", AccessMode.READ_WRITE);

      long unused =
          program.mmapAt(
              address(1), other, PAGE, RW, Mman.MAP_SHARED | Mman.MAP_FIXED, bytes(1));

      assertThat(areas()).containsExactly("0-1 rw-", "1-2 rw-");
    }

    @Test
    void needsAnOffsetThatGoesOn() throws ErrnoException {
      driver.completes(request -> request.setOperations(driver.nopageAlone()));
      map(0, 1);

      long unused =
          program.mmapAt(address(1), fd, PAGE, RW, Mman.MAP_SHARED | Mman.MAP_FIXED, bytes(2));

      assertThat(areas()).containsExactly("0-1 rw-", "1-2 rw-");
    }

    @ParameterizedTest
    @EnumSource(names = {"IO", "DONTEXPAND", "MIXEDMAP", "RESERVED"})
    void neverTakesSpecialAreas(VmFlag flag) throws ErrnoException {
      driver.completes(request -> {
        request.addFlags(flag);
        request.setOperations(driver.nopageAlone());
      });

      map(0, 1);
      map(1, 2);

      assertThat(areas()).containsExactly("0-1 rw-", "1-2 rw-");
    }
  }

  private static RecordingDriver.Action refusing(Errno errno) {
    return vma -> {
      throw new ErrnoException(errno, "the test says so");
    };
  }
}
