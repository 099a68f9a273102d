// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.faultline.device.AccessMode;
import io.faultline.device.IoMemory;
import io.faultline.device.IoRegion;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UpgradeException;
import io.faultline.kernel.UpgradeException.Step;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Drivers that abuse registers, protections and what they hand over harm nobody but themselves. */
@FaultlineTest
@Timeout(600)
class LyingDriverTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration NODE =
      DeviceRegistration.of("liar").withTimeoutMillis(600_000);
  private static final long KEPT_BYTES = 16 << 20;

  private final BootedKernel kernel;
  private final Program program;

  LyingDriverTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  private long map(String path) throws ErrnoException {
    return program.mmapShared(program.open(path, AccessMode.READ_WRITE), PAGE, 0);
  }

  private static DeviceRegistration version(int number) {
    return NODE.withVersion(number + ".0.0");
  }

  // ---- registers --------------------------------------------------------------------------------

  /** A region for each of its devices. */
  private static final class Several extends StatefulDriver {
    private final IoRegion[] regions;

    Several(int count, IoMemory io) throws ErrnoException {
      super("several");
      regions = new IoRegion[count];
      for (int i = 0; i < count; i++) {
        int which = i;
        regions[i] = io.region("registers" + i, 1, new RegisterDriver(1, io) {
          @Override
          public long read(long offset, int size) {
            return which;
          }
        });
      }
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      try {
        request.remapPfnRange(request.start(), regions[file.index()].frame(), PAGE);
      } catch (ErrnoException e) {
        throw new IllegalStateException(e);
      }
      super.mmap(file, request);
    }
  }

  @Test
  void aVersionWithFewerDevicesTakesOverThoughTheOthersHadRegistersOnce() throws Exception {
    AutoCloseable first = kernel.devices().register(
        version(1).withCount(3), new Several(3, kernel.io(version(1))));
    long kept = map("/dev/liar1");
    int last = program.open("/dev/liar2", AccessMode.READ_WRITE);
    long gone = program.mmapShared(last, PAGE, 0);
    assertThat(program.memory().getLong(gone)).isEqualTo(2);
    program.munmap(gone, PAGE);
    program.close(last);

    AutoCloseable second = kernel.devices().replace(
        first, version(2).withCount(2), new Several(2, kernel.io(version(2))), upgrade -> {
        });

    assertThat(program.memory().getLong(kept)).isEqualTo(1);
    assertThat(kernel.devices().list()).extracting(DeviceInfo::path)
        .containsExactly("/dev/liar0", "/dev/liar1");
    kernel.validate();
    second.close();
    assertThat(kernel.problems()).isEmpty();
  }

  @Test
  void aHandlerMayUnmapTheRegistersThatAreBeingRead() throws Exception {
    RegisterDriver driver = new RegisterDriver(1, kernel.io(NODE));
    AutoCloseable unused = kernel.devices().register(NODE, driver);
    long address = map("/dev/liar");
    driver.action = value -> {
      try {
        kernel.vmas().munmap(program.task(), address, PAGE);
      } catch (ErrnoException e) {
        throw new IllegalStateException(e);
      }
    };
    assertThat(program.memory().getLong(address + RegisterDriver.ACTION)).isEqualTo(-1);
    assertThat(kernel.problems()).isEmpty();
    kernel.validate();
  }

  @Test
  void aHandlerThatReadsItsOwnRegisterWithoutEndCostsThatAccess() throws Exception {
    RegisterDriver driver = new RegisterDriver(1, kernel.io(NODE));
    AutoCloseable unused = kernel.devices().register(NODE, driver);
    long address = map("/dev/liar") + RegisterDriver.ACTION;
    driver.action = value -> {
      long again = program.task().newCpu().getLong(address);
    };
    assertSigbus(address, () -> program.memory().getLong(address));
    driver.action = value -> {
    };
    assertThat(program.memory().getLong(address)).isEqualTo(-1);
    kernel.validate();
  }

  @Test
  void aRegionsNameIsOneLineOfText() throws Exception {
    IoMemory io = kernel.io(NODE);
    for (String name : new String[] {"", "a\nb", "a".repeat(200), "\u001b[2J"}) {
      assertFails(Errno.EINVAL, () -> io.region(name, 1, new RegisterDriver(1, io)));
    }
    assertThat(io.regions()).containsExactly("registers");
  }

  // ---- protections ------------------------------------------------------------------------------

  /** Has a page protected in the very callback that asks whether it may be written. */
  private static final class Stubborn extends StatefulDriver {
    volatile OpenFile file = null;
    volatile boolean protects = true;

    Stubborn(PageAllocator allocator) throws ErrnoException {
      super("stubborn", allocator);
    }

    @Override
    public void mmap(OpenFile opened, MmapRequest request) {
      file = opened;
      super.mmap(opened, request);
    }

    @Override
    public Nopage pageMkwrite(Vma vma, long address, Page page) {
      if (protects) {
        int entries = file.writeProtect(vma.pageOffsetOf(address), page);
      }
      return Nopage.minor(page);
    }
  }

  @Test
  void whoProtectsAPageWheneverItIsAskedCostsTheStoreAndNoLock() throws Exception {
    Stubborn driver = new Stubborn(kernel.pages(NODE));
    AutoCloseable unused = kernel.devices().register(NODE, driver);
    long address = map("/dev/liar");
    assertSigbus(address, () -> program.memory().putLong(address, 5));
    assertThat(program.memory().getLong(address)).isZero();
    assertSigbus(address, () -> program.memory().putLong(address, 5));
    driver.protects = false;
    program.memory().putLong(address, 6);
    assertThat(program.memory().getLong(address)).isEqualTo(6);
    kernel.validate();
  }

  @Test
  void placesThatAreNoneAreProtectedByNobody() throws Exception {
    Stubborn driver = new Stubborn(kernel.pages(NODE));
    driver.protects = false;
    AutoCloseable unused = kernel.devices().register(NODE, driver);
    long address = map("/dev/liar");
    program.memory().putLong(address, 5);
    Page page = driver.pages().getFirst();
    for (long offset : new long[] {1, -1, 1L << 36, 1L << 52, Long.MAX_VALUE, Long.MIN_VALUE}) {
      int entries = driver.file.writeProtect(offset, page);
      assertThat(entries).isLessThanOrEqualTo(offset == 1L << 52 ? 1 : 0);
    }
    assertThatThrownBy(() -> driver.file.writeProtect(0, null))
        .isInstanceOf(RuntimeException.class);
    kernel.validate();
  }

  // ---- what is handed over ----------------------------------------------------------------------

  @Test
  void aNameThatAnotherDriverTookMeanwhileEndsTheUpgrade() throws Exception {
    StatefulDriver old = new StatefulDriver("old", kernel.pages(version(1)));
    AutoCloseable first = kernel.devices().register(version(1).withCount(2), old);
    long address = map("/dev/liar1");
    StatefulDriver next = new StatefulDriver("next") {
      @Override
      void hear(String call) throws Exception {
        super.hear(call);
        if (call.equals("selfTest")) {
          AutoCloseable unused = kernel.devices().register(
              DeviceRegistration.of("liar2"), new StatefulDriver("other"));
        }
      }
    };

    UpgradeException refusal = catchThrowableOfType(
        UpgradeException.class,
        () -> kernel.devices().replace(first, version(2).withCount(3), next, upgrade -> {
        }));

    assertThat(refusal).isNotNull();
    assertThat(refusal.step()).isEqualTo(Step.MATCH);
    assertThat(kernel.devices().find("/dev/liar2").orElseThrow().driver()).isEqualTo("liar2");
    assertThat(program.memory().getLong(address)).isZero();
    assertThat(kernel.devices().find("/dev/liar1").orElseThrow().driverVersion())
        .isEqualTo("1.0.0");
    kernel.validate();
  }

  /** Frees the pages that it has just written. */
  private static final class Freeing extends StatefulDriver {
    private final PageAllocator allocator;

    Freeing(PageAllocator allocator) throws ErrnoException {
      super("freeing", allocator);
      this.allocator = allocator;
    }

    @Override
    public void saveState(int index, StateWriter out) throws IOException {
      Page page;
      try {
        page = allocator.allocate();
      } catch (ErrnoException e) {
        throw new IOException(e);
      }
      out.writePage(page);
      page.put();
    }
  }

  @Test
  void aDriverThatFreesWhatItSavesGoesAllTheSame() throws Exception {
    kernel.keptBytes(KEPT_BYTES);
    Freeing driver = new Freeing(kernel.pages(NODE));
    AutoCloseable first = kernel.devices().register(NODE, driver);
    long address = map("/dev/liar");
    assertThat(program.memory().getLong(address)).isZero();

    first.close();

    assertSigbus(address, () -> program.memory().getLong(address));
    assertThat(driver.heard).contains("close", "release");
    assertThat(kernel.problems()).singleElement().asString()
        .contains("is not kept", "freed");
    driver.free();
    kernel.validate();
  }

  @Test
  void aPageThatWasFreedAndIsSomebodyElsesByNowIsNotHandedOver() throws Exception {
    AtomicReference<Page> stolen = new AtomicReference<>();
    PageAllocator victim = kernel.pages(DeviceRegistration.of("victim"));
    PageAllocator own = kernel.pages(version(1));
    StatefulDriver old = new StatefulDriver("old", own) {
      @Override
      public void saveState(int index, StateWriter out) throws IOException {
        try {
          Page page = own.allocate();
          out.writePage(page);
          page.put();
          for (int i = 0; i < 200_000; i++) {
            Page other = victim.allocate();
            if (other.frameNumber() == page.frameNumber()) {
              return;
            }
          }
        } catch (ErrnoException e) {
          throw new IOException(e);
        }
        throw new IOException("the victim did not get the frame");
      }
    };
    AutoCloseable first = kernel.devices().register(version(1), old);
    StatefulDriver next = new StatefulDriver("next") {
      @Override
      public void restoreState(int index, int version, StateReader in) throws IOException {
        stolen.set(in.readPage());
      }
    };
    UpgradeException refusal = catchThrowableOfType(
        UpgradeException.class,
        () -> kernel.devices().replace(first, version(2), next, upgrade -> {
        }));
    assertThat(stolen.get()).isNull();
    assertThat(refusal).isNotNull();
    assertThat(refusal.step()).isEqualTo(Step.RESTORE);
  }

  @Test
  void aStateWithoutEndIsCutOff() throws Exception {
    kernel.keptBytes(KEPT_BYTES);
    AtomicInteger written = new AtomicInteger();
    StatefulDriver driver = new StatefulDriver("endless") {
      @Override
      public void saveState(int index, StateWriter out) throws IOException {
        byte[] block = new byte[1 << 20];
        for (int i = 0; i < 1000; i++) {
          out.write(block);
          written.incrementAndGet();
        }
      }
    };
    AutoCloseable first = kernel.devices().register(NODE, driver);
    first.close();
    assertThat(written).hasValueLessThan(200);
    assertThat(kernel.problems()).last().asString().contains("is not kept", "writePage");
  }

  @Test
  void whatIsWrittenAfterwardsIsNoPartOfTheState() throws Exception {
    kernel.keptBytes(KEPT_BYTES);
    AtomicReference<StateWriter> leaked = new AtomicReference<>();
    StatefulDriver driver = new StatefulDriver("late") {
      @Override
      public void saveState(int index, StateWriter out) throws IOException {
        out.writeLong(1);
        leaked.set(out);
      }
    };
    AutoCloseable first = kernel.devices().register(NODE, driver);
    first.close();
    assertThatThrownBy(() -> leaked.get().writeLong(2)).isInstanceOf(IOException.class);
    assertThat(kernel.kept()).singleElement()
        .satisfies(kept -> assertThat(kept.bytes()).isEqualTo(8));
  }

  @Test
  void aStateThatIsReadInPartAndRefusedLosesNoPage() throws Exception {
    kernel.keptBytes(KEPT_BYTES);
    StatefulDriver old = new StatefulDriver("old", kernel.pages(version(1)));
    AutoCloseable first = kernel.devices().register(version(1), old);
    first.close();
    old.free();
    long pages = kernel.kept().getFirst().pages();
    for (int i = 2; i < 5; i++) {
      AtomicReference<Page> read = new AtomicReference<>();
      StatefulDriver liar = new StatefulDriver("liar") {
        @Override
        public void restoreState(int index, int version, StateReader in) throws IOException {
          long number = in.readLong();
          int count = in.readInt();
          Page page = in.readPage();
          page.put();
          read.set(in.readPage());
          throw new IOException("number " + number + " of " + count);
        }

        @Override
        public void saveState(int index, StateWriter out) throws IOException {
          throw new IOException("nothing to save");
        }
      };
      AutoCloseable unused = kernel.devices().register(version(i), liar);
      assertThat(kernel.kept().getFirst().pages()).isEqualTo(pages);
      assertThatThrownBy(() -> read.get().get()).isInstanceOf(IllegalStateException.class);
      unused.close();
    }
    StatefulDriver last = new StatefulDriver("last");
    AutoCloseable unused = kernel.devices().register(version(9), last);
    assertThat(last.pages()).hasSize(StatefulDriver.PAGES);
    assertThat(kernel.kept()).isEmpty();
    kernel.validate();
  }
}
