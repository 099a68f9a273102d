// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A driver takes the right to write away, and hears of the next store. */
@FaultlineTest
@Timeout(600)
class WriteProtectTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int PAGES = 8;
  private static final DeviceRegistration NODE = DeviceRegistration.of("noted");

  private final BootedKernel kernel;
  private final Noted driver;
  private final AutoCloseable registered;
  private final Program program;
  private final int fd;
  private final long address;

  WriteProtectTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    driver = new Noted(kernel.pages(NODE));
    registered = kernel.devices().register(NODE, driver);
    program = kernel.spawn();
    fd = program.open("/dev/noted", AccessMode.READ_WRITE);
    address = program.mmapShared(fd, (long) PAGES * PAGE, 0);
  }

  /** Pages whose writers are noted. */
  private static class Noted implements MmapProvider, VmOperations, HandOver {
    final ConcurrentLinkedQueue<Long> dirty = new ConcurrentLinkedQueue<>();
    List<Page> pages;
    volatile OpenFile file;
    volatile boolean refuses;
    volatile Runnable afterwards = () -> {};

    Noted(PageAllocator allocator) throws ErrnoException {
      pages = allocator.allocate(3);
    }

    @Override
    public void open(OpenFile opened) {
      file = opened;
    }

    @Override
    public void mmap(OpenFile opened, MmapRequest request) {
      request.setOperations(this);
    }

    @Override
    public Nopage nopage(Vma vma, long at, Access access) {
      long page = vma.pageOffsetOf(at);
      return page < PAGES ? Nopage.minor(pages.get((int) page).get()) : Nopage.SIGBUS;
    }

    @Override
    public Nopage pageMkwrite(Vma vma, long at, Page page) {
      if (refuses) {
        return Nopage.SIGBUS;
      }
      dirty.add(vma.pageOffsetOf(at));
      afterwards.run();
      return Nopage.minor(page);
    }

    @Override
    public void saveState(int index, StateWriter out) throws IOException {
      for (Page page : pages) {
        out.writePage(page);
      }
    }

    @Override
    public void restoreState(int index, int version, StateReader in) throws IOException {
      pages.forEach(Page::put);
      List<Page> taken = new ArrayList<>();
      for (int i = 0; i < PAGES; i++) {
        taken.add(in.readPage());
      }
      pages = taken;
    }

    @Override
    public void adopt(OpenFile opened) {
      file = opened;
    }

    @Override
    public void adopt(Adoption area) {
      area.setOperations(this);
    }

    int protect(int page) {
      return file.writeProtect(page, pages.get(page));
    }

    /** What was noted since the last call. */
    List<Long> take() {
      List<Long> taken = new ArrayList<>();
      for (Long page = dirty.poll(); page != null; page = dirty.poll()) {
        taken.add(page);
      }
      return taken;
    }
  }

  private void store(Program by, long at) {
    by.memory().putLong(at, by.memory().getLong(at) + 1);
  }

  @Test
  void theFirstStoreIsHeardOfOnce() {
    store(program, address);
    store(program, address + 8);
    assertThat(driver.take()).containsExactly(0L);
  }

  @Test
  void afterItAStoreIsHeardOfAgainOnce() {
    store(program, address + PAGE);
    driver.take();

    assertThat(driver.protect(1)).isEqualTo(1);

    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
    assertThat(driver.take()).as("a load").isEmpty();
    store(program, address + PAGE);
    store(program, address + PAGE);
    assertThat(driver.take()).containsExactly(1L);
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(3);
  }

  @Test
  void itTellsHowManyEntriesCouldBeWritten() throws Exception {
    assertThat(driver.protect(0)).as("nobody came").isZero();
    assertThat(program.memory().getLong(address)).isZero();
    assertThat(driver.protect(0)).as("a reader").isZero();
    store(program, address);
    Program other = kernel.spawn();
    int own = other.open("/dev/noted", AccessMode.READ_WRITE);
    store(other, other.mmapShared(own, PAGE, 0));
    assertThat(driver.protect(0)).as("two writers").isEqualTo(2);
    assertThat(driver.protect(0)).as("none since").isZero();
  }

  @Test
  void onlyThatPageIsProtected() {
    store(program, address);
    store(program, address + PAGE);
    driver.take();
    driver.protect(0);
    store(program, address + PAGE);
    assertThat(driver.take()).isEmpty();
  }

  @Test
  void areasOfTheSameProcessThatShowThePageElsewhereAreProtected() throws Exception {
    long second = program.mmapShared(fd, 2L * PAGE, 3L * PAGE);
    store(program, address + 4L * PAGE);
    store(program, second + PAGE);
    driver.take();
    assertThat(driver.protect(4)).isEqualTo(2);
    store(program, second + PAGE);
    assertThat(driver.take()).containsExactly(4L);
    store(program, address + 4L * PAGE);
    assertThat(driver.take()).containsExactly(4L);
  }

  @Test
  void childrenAreProtected() throws Exception {
    store(program, address);
    Program child = program.fork();
    store(child, address);
    driver.take();
    assertThat(driver.protect(0)).isEqualTo(2);
    program.exit();
    store(child, address);
    assertThat(driver.take()).containsExactly(0L);
  }

  @Test
  void movedAreasAreProtectedWhereTheyAreNow() throws Exception {
    store(program, address + 2L * PAGE);
    driver.take();
    long moved = program.mremap(address, (long) PAGES * PAGE, (PAGES + 1L) * PAGE);
    assertThat(moved).isNotEqualTo(address);
    assertThat(driver.protect(2)).isEqualTo(1);
    store(program, moved + 2L * PAGE);
    assertThat(driver.take()).containsExactly(2L);
  }

  @Test
  void bothHalvesOfASplitAreaAreProtected() throws Exception {
    store(program, address);
    store(program, address + 7L * PAGE);
    driver.take();
    program.munmap(address + 3L * PAGE, PAGE);
    assertThat(driver.protect(0) + driver.protect(7)).isEqualTo(2);
    store(program, address);
    store(program, address + 7L * PAGE);
    assertThat(driver.take()).containsExactly(0L, 7L);
  }

  @Test
  void aPageThatWasMadeReadOnlyMeanwhileIsHeardOfWhenItIsWrittenAgain() throws Exception {
    store(program, address);
    program.mprotect(address, PAGE, Mman.PROT_READ);
    driver.take();
    driver.protect(0);
    program.mprotect(address, PAGE, Mman.PROT_READ | Mman.PROT_WRITE);
    store(program, address);
    assertThat(driver.take()).containsExactly(0L);
  }

  @Test
  void privateCopiesAreLeftAlone() throws Exception {
    long copy = program.mmapPrivate(fd, PAGE, 0);
    store(program, copy);
    assertThat(driver.protect(0)).isZero();
    store(program, copy);
    assertThat(program.memory().getLong(copy)).isEqualTo(2);
    assertThat(driver.take()).isEmpty();
  }

  @Test
  void areasStayKnownWhenTheirDescriptorIsClosed() throws Exception {
    store(program, address);
    program.close(fd);
    driver.take();
    assertThat(driver.protect(0)).isEqualTo(1);
    store(program, address);
    assertThat(driver.take()).containsExactly(0L);
  }

  @Test
  void aRefusedStoreIsSigbusAndThePageStaysReadable() {
    store(program, address);
    driver.protect(0);
    driver.refuses = true;
    assertSigbus(address, () -> program.memory().putLong(address, 9));
    assertThat(program.memory().getLong(address)).isEqualTo(1);
  }

  @Test
  void aPageThatIsGoneIsRefused() {
    Page gone = driver.pages.removeLast();
    gone.put();
    assertThatThrownBy(() -> driver.file.writeProtect(7, gone))
        .isInstanceOf(IllegalStateException.class).hasMessageContaining("page: ");
  }

  /** What was noted is taken off the list before the store that it was noted for. */
  @Test
  void aProtectionBetweenTheCallbackAndTheStoreMakesTheCallbackComeAgain() {
    AtomicBoolean once = new AtomicBoolean();
    List<Long> taken = new ArrayList<>();
    driver.afterwards = () -> {
      if (once.compareAndSet(false, true)) {
        taken.addAll(driver.take());
        driver.protect(0);
      }
    };
    store(program, address);
    assertThat(taken).containsExactly(0L);
    assertThat(driver.take()).containsExactly(0L);

    driver.protect(0);
    once.set(false);
    store(program, address);
    assertThat(driver.take()).containsExactly(0L);
  }

  @Test
  void theNextVersionProtectsWhatTheOldOneMapped() throws Exception {
    store(program, address);
    DeviceRegistration version = NODE.withVersion("2.0.0");
    Noted next = new Noted(kernel.pages(version));
    AutoCloseable unused = kernel.devices().replace(registered, version, next, upgrade -> {});
    store(program, address);
    assertThat(next.take()).as("still writable").isEmpty();
    assertThat(next.protect(0)).isEqualTo(1);
    store(program, address);
    assertThat(next.take()).containsExactly(0L);
  }

  @Test
  void areasOfAVersionThatDidNotCareAreProtectedByOneThatDoes() throws Exception {
    DeviceRegistration node = DeviceRegistration.of("careless");
    class Careless extends Noted {
      Careless(PageAllocator allocator) throws ErrnoException {
        super(allocator);
      }

      @Override
      public void mmap(OpenFile opened, MmapRequest request) {
        request.setOperations(new VmOperations() {
          @Override
          public Nopage nopage(Vma vma, long at, Access access) {
            return Careless.this.nopage(vma, at, access);
          }
        });
      }
    }
    AutoCloseable first =
        kernel.devices().register(node, new Careless(kernel.pages(node)));
    int other = program.open("/dev/careless", AccessMode.READ_WRITE);
    long place = program.mmapShared(other, (long) PAGES * PAGE, 0);
    store(program, place);
    DeviceRegistration version = node.withVersion("2.0.0");
    Noted next = new Noted(kernel.pages(version));
    AutoCloseable unused = kernel.devices().replace(first, version, next, upgrade -> {});
    assertThat(next.protect(0)).isEqualTo(1);
    store(program, place);
    assertThat(next.take()).containsExactly(0L);
  }

  /**
   * Threads of several processes store into all pages, and move, split and fork their areas, while a
   * driver sends what was noted to a screen: in the end the screen shows every store.
   */
  @Test
  void noStoreIsEverMissed() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    List<Thread> threads = new ArrayList<>();
    long[] stores = new long[3];
    for (int t = 0; t < stores.length; t++) {
      int slot = t;
      Program own = t == 0 ? program : kernel.spawn();
      threads.add(Thread.ofPlatform().start(() -> {
        try {
          stores[slot] = draw(own, slot, stop);
        } catch (Throwable e) {
          failures.add(e);
        }
      }));
    }
    long[][] screen = new long[PAGES][stores.length];
    long flushes = 0;
    long end = System.nanoTime() + 1_000_000_000L;
    while (System.nanoTime() < end && failures.isEmpty()) {
      send(screen);
      flushes++;
    }
    stop.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    send(screen);

    assertThat(failures).isEmpty();
    assertThat(flushes).isGreaterThan(10);
    for (int page = 0; page < PAGES; page++) {
      for (int slot = 0; slot < stores.length; slot++) {
        assertThat(screen[page][slot]).isEqualTo(stores[slot]).isGreaterThan(10);
      }
    }
    kernel.validate();
    assertThat(kernel.problems()).isEmpty();
  }

  /** Counts in its own slot of each page; the number of rounds. */
  private long draw(Program own, int slot, AtomicBoolean stop) throws ErrnoException {
    int file = own == program ? fd : own.open("/dev/noted", AccessMode.READ_WRITE);
    long length = (long) PAGES * PAGE;
    long place = own.mmapShared(file, length, 0);
    UserMemory memory = own.task().newCpu();
    long round = 0;
    while (!stop.get()) {
      round++;
      for (int page = 0; page < PAGES; page++) {
        memory.putLong(place + (long) page * PAGE + slot * 8L, round);
      }
      if (round % 64 == 0) {
        long elsewhere = own.mmapShared(file, 2 * length, 0);
        own.munmap(elsewhere, 2 * length);
        place = kernel.vmas().mremap(own.task(), place, length, length,
            Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED, elsewhere);
      }
      if (round % 128 == 0) {
        own.mprotect(place + 3L * PAGE, PAGE, Mman.PROT_READ);
        own.mprotect(place + 3L * PAGE, PAGE, Mman.PROT_READ | Mman.PROT_WRITE);
      }
      if (round % 256 == 0) {
        // A child stores too: the last round, once more.
        Program child = own.fork();
        child.memory().putLong(place + slot * 8L, round);
        child.exit();
      }
    }
    return round;
  }

  /** Deferred I/O: off the list, protected, sent. */
  private void send(long[][] screen) {
    for (long page : driver.take()) {
      driver.protect((int) page);
      for (int slot = 0; slot < screen[(int) page].length; slot++) {
        screen[(int) page][slot] = driver.pages.get((int) page).segment()
            .get(ValueLayout.JAVA_LONG, slot * 8L);
      }
    }
  }
}
