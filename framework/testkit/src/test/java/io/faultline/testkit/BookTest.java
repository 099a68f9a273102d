// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.RecordingDriver.address;
import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.faultline.device.AccessMode;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.FaultCounts;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Protection;
import io.faultline.mm.SignalCode;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * LDD3, chapter 15, pp. 420 ff.: what the book says of areas and of the driver's part, statement by
 * statement. The integration tests say the same of drivers that are bundles.
 */
@FaultlineTest(maxMapCount = 200_000)
class BookTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;

  private final BootedKernel kernel;
  private final Program program;
  private final RecordingDriver driver;
  private final int fd;

  BookTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    program = kernel.spawn();
    driver = new RecordingDriver(kernel.pages("book"));
    driver.completes(request -> request.setOperations(driver.counting()));
    fd = open("book", driver);
  }

  private int open(String name, MmapProvider provider) throws ErrnoException {
    AutoCloseable unused = kernel.devices().register(DeviceRegistration.of(name), provider);
    return program.open("/dev/" + name, AccessMode.READ_WRITE);
  }

  /** Maps the device's first pages at the base. */
  private void map(int pages) throws ErrnoException {
    map(fd, pages, Mman.MAP_SHARED);
  }

  private void map(int file, int pages, int flags) throws ErrnoException {
    long address =
        program.mmapAt(address(0), file, (long) pages * PAGE, RW, flags | Mman.MAP_FIXED, 0);
    assertThat(address).isEqualTo(address(0));
  }

  @Nested
  class TheSystemCreatesTheAreaAndTheDriverCompletesIt {
    @Test
    void theSystemChoosesTheRangeAndTheDriverCompletesTheArea() throws ErrnoException {
      AtomicReference<List<Long>> range = new AtomicReference<>();
      driver.completes(request -> {
        range.set(List.of(request.start(), request.end()));
        request.addFlags(VmFlag.IO);
        request.setPrivateData("the driver's");
        request.setOperations(driver.counting());
      });
      AtomicReference<Object> privateData = new AtomicReference<>();
      driver.during("nopage", vma -> privateData.set(vma.privateData()));

      long address = program.mmapShared(fd, 3 * PAGE, 0);

      assertThat(range.get()).containsExactly(address, address + 3 * PAGE);
      assertThat(program.area(address).has(VmFlag.IO)).as("the driver's flag").isTrue();
      program.memory().touch(address, Access.READ);
      assertThat(privateData.get()).as("through the driver's operations").isEqualTo("the driver's");
    }

    @Test
    void driversNeverCreateAreas() throws ErrnoException {
      AtomicReference<MmapRequest> kept = new AtomicReference<>();
      driver.completes(request -> {
        kept.set(request);
        request.setOperations(driver.counting());
      });
      map(1);

      assertThatIllegalStateException().isThrownBy(() -> kept.get().addFlags(VmFlag.IO));
      assertThatIllegalStateException()
          .isThrownBy(() -> kept.get().setOperations(driver.nopageAlone()));
      assertThatIllegalStateException()
          .isThrownBy(() -> kept.get().insertPage(address(0), driver.page(0)));
    }
  }

  @Nested
  class ProcPidMaps {
    @Test
    void everyFieldOfMapsButTheNameIsAFieldOfTheArea() throws ErrnoException {
      long address = program.mmap(fd, 2 * PAGE, Mman.PROT_READ, Mman.MAP_SHARED, 3 * PAGE);

      Vma area = program.area(address);
      Inode inode = area.file().inode();
      String fields =
          "%08x-%08x r--s %08x %s %d ".formatted(
              area.start(), area.end(), area.pageOffset() * PAGE, inode.device(), inode.number());
      assertThat(program.mapsLine(address)).isEqualTo("%-73s/dev/book".formatted(fields));
    }

    @Test
    void theRightsAreReadWriteExecuteEachOrADash() throws ErrnoException {
      int anonymous = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS;
      for (int prot = 0; prot < 8; prot++) {
        long address = program.mmap(-1, PAGE, prot, anonymous, 0);
        assertThat(kernel.proc().maps(program.task())).contains(
            "-%08x %sp ".formatted(program.area(address).end(), Protection.ofProt(prot)));
      }
    }

    @Test
    void theLastPermissionSaysPrivateOrShared() throws ErrnoException {
      assertThat(program.mapsLine(program.mmapShared(fd, PAGE, 0))).contains(" rw-s ");
      assertThat(program.mapsLine(program.mmapPrivate(fd, PAGE, 0))).contains(" rw-p ");
    }

    @Test
    void theDeviceInMapsIsTheOneThatHoldsTheFileNotTheOneThatItIs() throws ErrnoException {
      long address = program.mmapShared(fd, PAGE, 0);

      Inode inode = program.area(address).file().inode();
      assertThat(inode.represents()).isNotEqualTo(inode.device());
      assertThat(program.mapsLine(address)).contains(" " + inode.device() + " ")
          .doesNotContain(" " + inode.represents() + " ");
    }
  }

  @Nested
  class TheFieldsOfAnArea {
    @Test
    void theDriverSeesThem() throws ErrnoException {
      driver.completes(request -> {
        request.setPrivateData(driver);
        request.setOperations(driver.counting());
      });
      long address = program.mmapShared(fd, 2 * PAGE, 5 * PAGE);
      List<Object> seen = new ArrayList<>();
      driver.during("nopage", vma -> seen.addAll(List.of(
          vma.start(), vma.end(), vma.pageOffset(), vma.flags(), vma.privateData(), vma.pid(),
          vma.file().inode().path())));

      program.memory().touch(address, Access.READ);

      assertThat(seen).containsExactly(
          address, address + 2 * PAGE, 5L, program.area(address).flags(), driver, 1, "/dev/book");
    }

    @Test
    void theOffsetOfAnAreaIsInPages() throws ErrnoException {
      long address = program.mmapShared(fd, PAGE, 5 * PAGE);

      assertThat(program.area(address).pageOffset()).isEqualTo(5);
    }

    @Test
    void anAreaNeedHaveNoFile() throws ErrnoException {
      map(-1, 1, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS);

      assertThat(program.area(address(0)).file()).isNull();
    }
  }

  @Nested
  class VmIoAndVmReserved {
    @Test
    void anAreaWithVmIoShowsIt() throws ErrnoException {
      driver.completes(request -> request.addFlags(VmFlag.IO));
      map(1);

      assertThat(kernel.proc().vmFlags(program.task()).lines())
          .anyMatch(line -> line.startsWith("%08x-".formatted(address(0))) && line.contains(" io"));
    }

    @Test
    void anAreaWithVmReservedKeepsItsFlagThroughASplit() throws ErrnoException {
      driver.completes(request -> {
        request.addFlags(VmFlag.RESERVED);
        request.setOperations(driver.counting());
      });
      map(2);

      program.mprotect(address(0), PAGE, Mman.PROT_READ);

      assertThat(program.area(address(0)).has(VmFlag.RESERVED)).isTrue();
      assertThat(program.area(address(1)).has(VmFlag.RESERVED)).isTrue();
    }
  }

  @Nested
  class Open {
    @Test
    void isNotCalledForTheFirstReference() throws ErrnoException {
      map(1);

      assertThat(driver.take()).containsExactly("mmap 0-1");
    }

    @Test
    void isCalledForTheReferenceThatForkMakes() throws ErrnoException {
      map(2);
      driver.take();

      program.fork();

      assertThat(driver.take()).containsExactly("open 0-2 of process 2");
    }

    @Test
    void isCalledForTheNewPartThatASplitMakes() throws ErrnoException {
      map(4);
      driver.take();

      program.mprotect(address(0), PAGE, Mman.PROT_READ);

      assertThat(driver.take()).containsExactly("open 1-4");
    }

    @Test
    void isCalledByADriverItselfInMmapWhereItCounts() throws ErrnoException {
      int[] areas = {0};
      driver.completes(request -> {
        request.setOperations(driver.counting());
        areas[0]++;
      });
      driver.during("open", vma -> areas[0]++);
      driver.during("close", vma -> areas[0]--);

      map(4);
      Program child = program.fork();
      child.munmap(address(1), PAGE);
      assertThat(areas[0]).as("the parent's one, the child's two").isEqualTo(3);

      child.exit();
      program.munmap(address(0), 4 * PAGE);
      assertThat(areas[0]).isZero();
    }
  }

  @Nested
  class Close {
    @Test
    void isCalledWhenAnAreaIsDestroyed() throws ErrnoException {
      map(2);
      driver.take();

      program.munmap(address(0), 2 * PAGE);

      assertThat(driver.take()).containsExactly("close 0-2");
    }

    @Test
    void isCalledByEachProcessExactlyOnce() throws ErrnoException {
      map(1);
      Program child = program.fork();
      driver.take();

      child.exit();
      child.exit();
      assertThat(driver.take()).containsExactly("close 0-1 of process 2");

      program.exit();
      assertThat(driver.take()).contains("close 0-1").doesNotHaveDuplicates();
    }
  }

  @Nested
  class NopageMethod {
    @Test
    void isAskedForAPageThatIsNotInMemory() throws ErrnoException {
      map(2);
      driver.take();

      byte unused = program.memory().getByte(address(1) + 100);
      assertThat(driver.take()).as("with the page's address").containsExactly("nopage 1");

      byte again = program.memory().getByte(address(1) + 200);
      assertThat(again).isZero();
      assertThat(driver.take()).as("it is in memory now").isEmpty();
    }

    @Test
    void isNotAskedForAnAddressInNoArea() throws ErrnoException {
      map(1);
      driver.take();

      Refusals.assertSignal(
          SignalCode.SEGV_MAPERR, address(1),
          () -> program.memory().getByte(address(1)));

      assertThat(driver.take()).isEmpty();
    }

    @Test
    void saysWhetherTheFaultWasMinorOrMajor() throws ErrnoException {
      map(1);
      map(open("slow", new Answering(Answering.MAJOR)), 1, Mman.MAP_SHARED);
      FaultCounts before = kernel.faults().counts(program.task());

      program.memory().touch(address(0), Access.READ);

      FaultCounts after = kernel.faults().counts(program.task());
      assertThat(after.major() - before.major()).isEqualTo(1);
      assertThat(after.minor() - before.minor()).isZero();
    }

    @Test
    void mayAnswerWithSigbus() throws ErrnoException {
      map(open("holes", new Answering(page -> Nopage.SIGBUS)), 1, Mman.MAP_SHARED);

      assertSigbus(address(0), () -> program.memory().getByte(address(0)));
    }

    @Test
    void mayAnswerThatThereIsNoMemory() throws ErrnoException {
      int poor = open("poor", new Answering(page -> Nopage.OOM));
      map(poor, 1, Mman.MAP_SHARED);

      assertSigbus(address(0), () -> program.memory().getByte(address(0)));
      assertFails(
          Errno.ENOMEM, () -> program.madvise(address(0), PAGE, Mman.MADV_POPULATE_READ));
    }

    @Test
    void whereAnAreaHasNoneTheKernelSuppliesAZeroFilledPage() throws ErrnoException {
      map(-1, 1, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS);

      assertThat(program.peek(address(0), PAGE)).isEqualTo("\0".repeat(PAGE));
      program.poke(address(0), "mine");
      assertThat(program.peek(address(0), 4)).isEqualTo("mine");
    }

    @Test
    void whereOperationsHaveNoneItIsSigbus() throws ErrnoException {
      driver.completes(request -> request.setOperations(new VmOperations() {
        @Override
        public void close(Vma vma) {}
      }));
      map(1);

      assertSigbus(address(0), () -> program.memory().getByte(address(0)));
    }

    @Test
    void takesAReferenceThatIsDroppedWhenThePageIsUnmapped() throws ErrnoException {
      map(1);
      program.memory().touch(address(0), Access.READ);
      assertThat(driver.page(0).referenceCount()).as("the driver's and the mapping's").isEqualTo(2);

      program.munmap(address(0), PAGE);

      assertThat(driver.page(0).referenceCount()).as("the driver's").isEqualTo(1);
    }
  }

  @Nested
  class PopulateMethod {
    @Test
    void bringsPagesInBeforeTheyAreTouched() throws ErrnoException {
      Populating populating = new Populating();
      driver.completes(request -> request.setOperations(populating));

      map(fd, 3, Mman.MAP_SHARED | Mman.MAP_POPULATE);

      assertThat(populating.calls).containsExactly("populate 0-3 rw- from page 0");
      program.memory().touch(address(0), Access.READ);
      program.memory().touch(address(2), Access.WRITE);
      assertThat(driver.take()).as("nothing is left to ask for").containsExactly("mmap 0-3");
    }

    @Test
    void whereADriverHasNoneItIsAskedPageByPage() throws ErrnoException {
      map(fd, 2, Mman.MAP_SHARED | Mman.MAP_POPULATE);

      assertThat(driver.take()).containsExactly("mmap 0-2", "nopage 0", "nopage 1");
    }
  }

  @Nested
  class AreasAreKeptSoThatLookUpIsFast {
    /** Time of many look-ups among so many areas more: a list would take a thousand times as long. */
    @Test
    void lookUpAmongManyAreasTakesLittleLongerThanAmongFew() throws ErrnoException {
      long few = nanosOfLookUps(32);
      long many = nanosOfLookUps(32_000);

      assertThat(many).isLessThan(30 * few);
    }

    private long nanosOfLookUps(int areas) throws ErrnoException {
      map(-1, areas, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS);
      for (int i = 0; i < areas; i += 2) {
        program.mprotect(address(i), PAGE, Mman.PROT_READ);
      }
      long best = Long.MAX_VALUE;
      ThreadMXBean threads = ManagementFactory.getThreadMXBean();
      for (int round = 0; round < 10; round++) {
        long began = threads.getCurrentThreadCpuTime();
        for (int i = 0; i < 2000; i++) {
          int page = (int) (i * 7919L % areas);
          assertThat(program.area(address(page)).start()).isEqualTo(address(page));
        }
        best = Math.min(best, threads.getCurrentThreadCpuTime() - began);
      }
      return best;
    }

    @Test
    void areasAreListedInAscendingOrder() throws ErrnoException {
      map(1);
      map(-1, 9, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS);

      assertThat(program.areas()).isSortedAccordingTo(
          (one, other) -> Long.compareUnsigned(one.start(), other.start()));
    }
  }

  /** Gives one answer to every fault. */
  private final class Answering implements MmapProvider, VmOperations {
    static final Function<Page, Nopage> MAJOR =
        page -> Nopage.major(page.get());

    private final Function<Page, Nopage> answer;

    Answering(Function<Page, Nopage> answer) {
      this.answer = answer;
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(this);
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return answer.apply(driver.page(0));
    }
  }

  /** Has the device's pages at hand. */
  private final class Populating implements VmOperations {
    private final List<String> calls = new ArrayList<>();

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      calls.add("nopage");
      return Nopage.minor(driver.page((int) vma.pageOffsetOf(address)).get());
    }

    @Override
    public void populate(
        Vma vma,
        long address,
        long length,
        Protection protection,
        long pageOffset,
        boolean nonblock,
        PageMapper pages)
        throws ErrnoException {
      calls.add(
          "populate %s %s from page %d".formatted(
              RecordingDriver.range(address, address + length), protection, pageOffset));
      for (int i = 0; i < length / PAGE; i++) {
        pages.insertPage(address + (long) i * PAGE, driver.page((int) pageOffset + i));
      }
    }
  }
}
