// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_POPULATE;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.itests.driver.BookDriver;
import io.faultline.itests.driver.BookDriver.Kind;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultCounts;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Protection;
import io.faultline.mm.SignalCode;
import io.faultline.mm.VmFlag;
import io.faultline.mm.Vma;
import java.lang.foreign.ValueLayout;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/**
 * LDD3, chapter 15, pp. 420 ff.: what the book says of areas and of the driver's part, statement by
 * statement, with a driver that is a service in a bundle.
 */
@InFelix
class BookIT {
  private static final String DEVICE = "/dev/book";

  private BundleContext context;
  private PageAllocator pages;
  private Devices devices;
  private VmaService memory;
  private Proc proc;
  private FaultDispatcher faults;
  private Program program;
  private BookDriver driver;
  private ServiceRegistration<MmapProvider> registration;
  private int fd;

  @BeforeEach
  void kernel(
      BundleContext bundle,
      PageAllocator allocator,
      Devices table,
      Tasks tasks,
      Files files,
      VmaService calls,
      Proc texts,
      FaultDispatcher dispatcher) {
    context = bundle;
    pages = allocator;
    devices = table;
    memory = calls;
    proc = texts;
    faults = dispatcher;
    program = Program.start(tasks, files, calls);
  }

  @AfterEach
  void end() {
    program.close();
    if (registration != null) {
      registration.unregister();
      Eventually.holds(DEVICE + " is gone", () -> devices.find(DEVICE).isEmpty());
      driver.page().put();
    }
  }

  private void driver(Kind kind, VmFlag... flags) throws Exception {
    driver = new BookDriver(pages, kind, flags);
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put("device.name", "book");
    registration = context.registerService(MmapProvider.class, driver, properties);
    Eventually.holds(DEVICE + " is there", () -> devices.find(DEVICE).isPresent());
    fd = program.open(DEVICE);
  }

  private static String call(String name, long start, int count) {
    return "%s %x-%x".formatted(name, start, start + (long) count * PAGE_SIZE);
  }

  private static String nopage(long address) {
    return "nopage %x-%x".formatted(address, address);
  }

  private Vma area(long address) {
    return memory.find(program.task(), address).orElseThrow();
  }

  private String line(long address) {
    return proc
        .maps(program.task())
        .lines()
        .filter(l -> l.startsWith("%08x-".formatted(address)))
        .findFirst()
        .orElseThrow();
  }

  // 1. The system creates the area; the driver completes it.

  @Test
  void theSystemChoosesTheRangeAndTheDriverCompletesTheArea() throws Exception {
    driver(Kind.FULL, VmFlag.IO);
    long address = program.map(fd, 3);
    assertThat(driver.take()).containsExactly(call("mmap", address, 3));
    assertThat(area(address).has(VmFlag.IO)).as("the flag that the driver set").isTrue();
    program.cpu().getByte(address);
    assertThat(driver.privateData()).as("what the driver stored").isSameAs(driver);
  }

  @Test
  void driversNeverCreateAreas() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 1);
    var kept = driver.request();
    assertThatIllegalStateException().isThrownBy(() -> kept.addFlags(VmFlag.IO));
    assertThatIllegalStateException().isThrownBy(() -> kept.setPrivateData("too late"));
    assertThatIllegalStateException().isThrownBy(() -> kept.insertPage(address, driver.page()));
  }

  // 2. /proc/PID/maps

  @Test
  void everyFieldOfMapsButTheNameIsAFieldOfTheArea() throws Exception {
    driver(Kind.FULL);
    long address =
        memory.mmap(
            program.task(), 0, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 3L * PAGE_SIZE);
    Vma area = area(address);
    var inode = area.file().inode();
    assertThat(line(address))
        .isEqualTo(
            "%-73s%s"
                .formatted(
                    "%08x-%08x r--s %08x %s %d "
                        .formatted(
                            area.start(),
                            area.end(),
                            area.pageOffset() * PAGE_SIZE,
                            inode.device(),
                            inode.number()),
                    DEVICE));
  }

  @Test
  void theLastPermissionSaysPrivateOrShared() throws Exception {
    driver(Kind.FULL);
    assertThat(line(program.map(fd, 1))).contains(" rw-s ");
    assertThat(line(program.mapPrivate(fd, 1))).contains(" rw-p ");
  }

  @Test
  void theDeviceInMapsIsTheOneThatHoldsTheFileNotTheOneThatItIs() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 1);
    var inode = area(address).file().inode();
    assertThat(inode.represents()).isNotEqualTo(inode.device());
    assertThat(line(address)).contains(" " + inode.device() + " ");
    assertThat(line(address)).doesNotContain(" " + inode.represents() + " ");
  }

  @Test
  void theRightsAreReadWriteExecuteEachOrADash() throws Exception {
    for (int prot = 0; prot < 8; prot++) {
      long address = program.map(-1, 1, prot, MAP_PRIVATE | MAP_ANONYMOUS);
      assertThat(proc.maps(program.task()))
          .contains("-%08x %sp ".formatted(area(address).end(), Protection.ofProt(prot)));
    }
  }

  // 3. Fields of the area

  @Test
  void theDriverSeesTheFieldsOfTheArea() throws Exception {
    driver(Kind.FULL, VmFlag.RESERVED);
    long address = program.map(fd, 2);
    program.cpu().getByte(address);
    Vma seen = driver.seen();
    assertThat(seen.start()).isEqualTo(address);
    assertThat(seen.end()).isEqualTo(address + 2L * PAGE_SIZE);
    assertThat(seen.pageOffset()).isZero();
    assertThat(seen.file().inode().path()).isEqualTo(DEVICE);
    assertThat(seen.flags()).isEqualTo(area(address).flags());
    assertThat(seen.privateData()).isSameAs(driver);
    assertThat(seen.pid()).isEqualTo(program.task().pid());
  }

  @Test
  void theOffsetOfAnAreaIsInPages() throws Exception {
    driver(Kind.FULL);
    long address =
        memory.mmap(program.task(), 0, PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 5L * PAGE_SIZE);
    assertThat(area(address).pageOffset()).isEqualTo(5);
  }

  @Test
  void anAreaNeedHaveNoFile() throws Exception {
    long address = program.map(-1, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS);
    assertThat(area(address).file()).isNull();
  }

  // 4. VM_IO, VM_RESERVED

  @Test
  void anAreaWithVmIoShowsIt() throws Exception {
    driver(Kind.FULL, VmFlag.IO);
    long address = program.map(fd, 1);
    assertThat(proc.vmFlags(program.task()).lines())
        .anyMatch(l -> l.startsWith("%08x-".formatted(address)) && l.contains(" io"));
  }

  @Test
  void anAreaWithVmReservedKeepsItsFlagThroughASplit() throws Exception {
    driver(Kind.FULL, VmFlag.RESERVED);
    long address = program.map(fd, 2);
    memory.mprotect(program.task(), address, PAGE_SIZE, PROT_READ);
    assertThat(area(address).has(VmFlag.RESERVED)).isTrue();
    assertThat(area(address + PAGE_SIZE).has(VmFlag.RESERVED)).isTrue();
  }

  // 5. open

  @Test
  void openIsNotCalledForTheFirstReference() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 1);
    assertThat(driver.take()).containsExactly(call("mmap", address, 1));
  }

  @Test
  void openIsCalledForTheReferenceThatForkMakes() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 2);
    driver.take();
    try (Program child = program.fork()) {
      assertThat(driver.take()).containsExactly(call("open", address, 2));
      assertThat(child.task().alive()).isTrue();
    }
  }

  @Test
  void openIsCalledForTheNewPartThatASplitMakes() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 4);
    driver.take();
    memory.mprotect(program.task(), address, PAGE_SIZE, PROT_READ);
    assertThat(driver.take()).hasSize(1).allMatch(c -> c.startsWith("open "));
    assertThat(driver.references()).isEqualTo(2);
  }

  @Test
  void aDriverThatCountsInMmapOpenAndCloseCountsRight() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 4);
    try (Program child = program.fork()) {
      child.unmap(address + PAGE_SIZE, 1);
      assertThat(driver.references()).isEqualTo(3);
    }
    assertThat(driver.references()).isEqualTo(1);
    program.unmap(address, 4);
    assertThat(driver.references()).isZero();
  }

  // 6. close

  @Test
  void closeIsCalledWhenAnAreaIsDestroyed() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 2);
    driver.take();
    program.unmap(address, 2);
    assertThat(driver.take()).containsExactly(call("close", address, 2));
  }

  @Test
  void eachProcessClosesItsAreaExactlyOnce() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 1);
    Program child = program.fork();
    driver.take();
    child.close();
    child.close();
    assertThat(driver.take()).containsExactly(call("close", address, 1));
    program.close();
    assertThat(driver.take()).containsExactly(call("close", address, 1));
  }

  @Test
  void theAreasOfAProcessThatEndsAreClosedInAscendingOrder() throws Exception {
    driver(Kind.FULL);
    long upper = program.map(fd, 1);
    long lower = program.map(fd, 1);
    assertThat(lower).isLessThan(upper);
    // With a gap, so that they stay two.
    long lowest = memory.mmap(program.task(), lower - 8L * PAGE_SIZE, PAGE_SIZE, PROT_READ,
        MAP_SHARED, fd, 0);
    driver.take();
    program.close();
    List<String> closed = driver.take();
    assertThat(closed).isSorted().allMatch(c -> c.startsWith("close "));
    assertThat(closed.getFirst()).isEqualTo(call("close", lowest, 1));
  }

  // 7. nopage

  @Test
  void nopageIsAskedForAPageThatIsNotInMemory() throws Exception {
    driver(Kind.FULL);
    driver.page().segment().setAtIndex(ValueLayout.JAVA_BYTE, 100, (byte) 42);
    long address = program.map(fd, 1);
    driver.take();
    assertThat(program.cpu().getByte(address + 100)).isEqualTo((byte) 42);
    assertThat(driver.take()).as("with the page's address").containsExactly(nopage(address));
    program.cpu().getByte(address + 200);
    assertThat(driver.take()).as("it is in memory now").isEmpty();
  }

  @Test
  void nopageSaysWhetherTheFaultWasMinorOrMajor() throws Exception {
    driver(Kind.SLOW);
    long address = program.map(fd, 1);
    FaultCounts before = faults.counts(program.task());
    program.cpu().getByte(address);
    FaultCounts after = faults.counts(program.task());
    assertThat(after.major() - before.major()).isEqualTo(1);
    assertThat(after.minor() - before.minor()).isZero();
  }

  @Test
  void nopageMayAnswerWithSigbus() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 2);
    assertThat(program.refusal(address + PAGE_SIZE)).isEqualTo(SignalCode.BUS_ADRERR);
  }

  @Test
  void nopageMayAnswerThatThereIsNoMemory() throws Exception {
    driver(Kind.POOR);
    assertThat(program.refusal(program.map(fd, 1))).isEqualTo(SignalCode.BUS_ADRERR);
  }

  @Test
  void nopageIsNotAskedForAnAddressInNoArea() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 1);
    program.unmap(address, 1);
    driver.take();
    assertThat(program.refusal(address)).isEqualTo(SignalCode.SEGV_MAPERR);
    assertThat(driver.take()).isEmpty();
  }

  @Test
  void whereAnAreaHasNoOperationsTheKernelSuppliesAZeroFilledPage() throws Exception {
    driver(Kind.NONE);
    long address = program.mapPrivate(fd, 1);
    assertThat(program.cpu().getLong(address)).isZero();
    program.cpu().putLong(address, 7);
    assertThat(program.cpu().getLong(address)).isEqualTo(7);
  }

  @Test
  void operationsWithoutNopageAnswerWithSigbus() throws Exception {
    driver(Kind.WITHOUT_NOPAGE);
    assertThat(program.refusal(program.map(fd, 1))).isEqualTo(SignalCode.BUS_ADRERR);
  }

  @Test
  void theReferenceThatNopageTookIsDroppedWhenThePageIsUnmapped() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 1);
    program.cpu().getByte(address);
    assertThat(driver.page().referenceCount()).as("the driver's and the mapping's").isEqualTo(2);
    program.unmap(address, 1);
    assertThat(driver.page().referenceCount()).as("the driver's").isEqualTo(1);
  }

  // 8. populate

  @Test
  void populateBringsPagesInBeforeTheyAreTouched() throws Exception {
    driver(Kind.POPULATING);
    long address = program.map(fd, 2, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE);
    assertThat(driver.take()).contains(call("populate", address, 2));
    program.cpu().getByte(address);
    program.cpu().getByte(address + PAGE_SIZE);
    assertThat(driver.take()).as("nothing is left to ask for").isEmpty();
  }

  @Test
  void aDriverWithoutPopulateIsAskedPageByPage() throws Exception {
    driver(Kind.FULL);
    long address = program.map(fd, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE);
    assertThat(driver.take()).containsExactly(call("mmap", address, 1), nopage(address));
  }

  // 9. Lists and trees

  @Test
  void everyAreaOfManyIsFoundAndListedInAscendingOrder() throws Exception {
    long address = program.map(-1, 2000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS);
    for (int i = 0; i < 2000; i += 2) {
      memory.mprotect(
          program.task(), address + (long) i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE);
    }
    for (int i = 0; i < 2000; i++) {
      long start = address + (long) i * PAGE_SIZE;
      assertThat(area(start + 100).start()).isEqualTo(start);
    }
    assertThat(memory.list(program.task())).hasSizeGreaterThanOrEqualTo(2000)
        .isSortedAccordingTo((one, other) -> Long.compareUnsigned(one.start(), other.start()));
  }
}
