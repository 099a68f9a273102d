// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.itests.harness.KernelLog;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/** What a driver's service does wrong costs an access, is counted, and in the end the driver. */
@InFelix
class ContainmentIT {
  private static final String DEVICE = "/dev/wrong";
  private static final int BUDGET = 100;
  private static final int LIMIT_MILLIS = 2000;
  /** For drivers that are slow only where the machine is. */
  private static final int NO_LIMIT_MILLIS = 600_000;
  /** A callback that nobody ended would hang for as long; what does not wait for it takes less. */
  private static final long HANGS_MILLIS = 600_000;

  /** What goes wrong at the first page. */
  private enum Wrong {
    THROWS,
    NULL,
    FOREIGN_PAGE,
    FREED_PAGE,
    HANGS,
    /** Interrupts do not end it. */
    LOOPS,
    MAPS_IN_THE_SAME_SPACE
  }

  private final class Driver implements MmapProvider, VmOperations {
    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(this);
    }

    @Override
    public @Nullable Nopage nopage(Vma vma, long address, Access access) {
      if (vma.pageOffsetOf(address) != 0) {
        return Nopage.minor(page.get());
      }
      return switch (wrong) {
        case THROWS -> throw new IllegalStateException("oh");
        case NULL -> null;
        case FOREIGN_PAGE -> Nopage.minor(new Forged());
        case FREED_PAGE -> Nopage.minor(freed);
        case HANGS -> hang();
        case LOOPS -> loop();
        case MAPS_IN_THE_SAME_SPACE -> recurse();
      };
    }

    private Nopage hang() {
      hangs.countDown();
      try {
        boolean unused = letGo.await(HANGS_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException watchdog) {
        // The end.
      }
      return Nopage.SIGBUS;
    }

    private Nopage loop() {
      hangs.countDown();
      while (letGo.getCount() > 0) {
        LockSupport.parkNanos(1_000_000);
        boolean unused = Thread.interrupted();
      }
      return Nopage.SIGBUS;
    }

    private Nopage recurse() {
      try {
        memory.mmap(
            program.task(), 0, Mman.PAGE_SIZE, Mman.PROT_READ,
            Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, -1, 0);
        return Nopage.minor(page.get());
      } catch (ErrnoException refused) {
        throw new IllegalStateException(refused.getMessage());
      }
    }
  }

  private Page page;
  private Page freed;
  private Tasks tasks;
  private Files files;
  private VmaService memory;
  private Program program;
  private Devices devices;
  private KernelLog log;
  private BundleContext context;
  private volatile Wrong wrong = Wrong.THROWS;
  private final CountDownLatch hangs = new CountDownLatch(1);
  private final CountDownLatch letGo = new CountDownLatch(1);
  private final List<ServiceRegistration<MmapProvider>> registrations = new ArrayList<>();

  @BeforeEach
  void setUp(
      BundleContext bundle, Devices table, Tasks processes, Files open, VmaService calls,
      PageAllocator pages)
      throws ErrnoException {
    context = bundle;
    devices = table;
    tasks = processes;
    files = open;
    memory = calls;
    log = new KernelLog();
    page = pages.allocate();
    freed = pages.allocate();
    freed.put();
    program = Program.start(tasks, files, calls);
  }

  @AfterEach
  void end() {
    letGo.countDown();
    program.close();
    registrations.forEach(ContainmentIT::unregister);
    if (page.referenceCount() > 0) {
      page.put(); // Unless the whole machine was shut down.
    }
    log.close();
  }

  private static void unregister(ServiceRegistration<MmapProvider> registration) {
    try {
      registration.unregister();
    } catch (IllegalStateException gone) {
      // By the test itself.
    }
  }

  private long plug(Wrong what) throws ErrnoException {
    return plug(what, NO_LIMIT_MILLIS);
  }

  private long plug(Wrong what, int timeoutMillis) throws ErrnoException {
    wrong = what;
    register("wrong", timeoutMillis);
    return program.map(program.open(DEVICE), 4);
  }

  private ServiceRegistration<MmapProvider> register(String name, int timeoutMillis) {
    ServiceRegistration<MmapProvider> registration =
        context.registerService(
            MmapProvider.class, new Driver(),
            new Hashtable<>(
                Map.<String, Object>of(
                    "device.name", name, "device.timeoutMillis", timeoutMillis)));
    registrations.add(registration);
    return registration;
  }

  private DeviceInfo device() {
    return devices.find(DEVICE).orElseThrow();
  }

  private static Object run(CommandProcessor processor, String line) throws Exception {
    try (CommandSession session =
        processor.createSession(
            InputStream.nullInputStream(), PrintStream.nullOutputStream(),
            PrintStream.nullOutputStream())) {
      Object result = session.execute(line);
      return result == null ? "" : session.format(result, Converter.INSPECT);
    }
  }

  private void assertCostsOneAccess(long address, String cause) {
    assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);

    assertThat(device().errors()).isEqualTo(1);
    assertThat(device().lastError()).contains(DEVICE, cause);
    assertThat(program.text(address + Mman.PAGE_SIZE)).as("the page beside it").isEmpty();
    assertThat(device().state()).isEqualTo(State.SERVING);
  }

  // ---- a callback that … -------------------------------------------------------------------------

  @Test
  void oneThatThrowsCostsThatAccess() throws Exception {
    assertCostsOneAccess(plug(Wrong.THROWS), "oh");
  }

  @Test
  void oneThatReturnsNullCostsThatAccess() throws Exception {
    assertCostsOneAccess(plug(Wrong.NULL), "returned null");
  }

  @Test
  void oneThatReturnsAForeignPageCostsThatAccess() throws Exception {
    assertCostsOneAccess(plug(Wrong.FOREIGN_PAGE), "not of this kernel");
  }

  @Test
  void oneThatReturnsAFreedPageCostsThatAccess() throws Exception {
    assertCostsOneAccess(plug(Wrong.FREED_PAGE), "freed");
  }

  @Test
  void oneThatHangsPastItsLimitCostsThatAccess() throws Exception {
    long address = plug(Wrong.HANGS, LIMIT_MILLIS);
    long began = System.nanoTime();
    assertCostsOneAccess(address, "took longer than " + LIMIT_MILLIS + " ms");
    assertEndedBeforeTheCallback(began);
  }

  @Test
  void oneThatCallsMmapOfTheSameSpaceCostsThatAccess() throws Exception {
    assertCostsOneAccess(plug(Wrong.MAPS_IN_THE_SAME_SPACE), "called back");
  }

  @Test
  void referencesThatADriverLeaksAreTakenBackWhenItsBundleGoes(Proc proc) throws Exception {
    long before = freeMemory(proc);
    Bundle leaking =
        context.installBundle(
            "containment:leaks",
            new ByteArrayInputStream(DriverJar.ofVersion("1.0.0.leaks")));
    leaking.start();
    long address = program.map(program.open("/dev/stamp"), 8);
    for (int i = 0; i < 8; i++) {
      assertThat(program.text(address + (long) i * Mman.PAGE_SIZE)).startsWith("stamp");
    }
    assertThat(devices.find("/dev/stamp").orElseThrow().pages()).isEqualTo(1);

    leaking.uninstall();
    program.unmap(address, 8);

    assertThat(log.warnings()).singleElement().asString()
        .contains(DriverJar.NAME, "has not freed 1 page");
    // What is left are the tables of pages, which the process keeps.
    assertThat(before - freeMemory(proc)).isLessThanOrEqualTo(4 * 4);
    program.close();
    program = Program.start(tasks, files, memory);
    assertThat(freeMemory(proc)).isEqualTo(before);
  }

  private static long freeMemory(Proc proc) {
    return proc.meminfo().lines()
        .filter(line -> line.startsWith("MemFree:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .sum();
  }

  @Test
  void aDuplicateNameIsRefusedAndItsFirstOwnerServesOn() throws Exception {
    long address = plug(Wrong.THROWS);
    long generation = device().generation();

    ServiceRegistration<MmapProvider> second = register("wrong", NO_LIMIT_MILLIS);

    assertThat(log.warnings()).singleElement().asString()
        .contains(DEVICE + " is taken by driver " + context.getBundle().getSymbolicName());
    assertThat(device().generation()).isEqualTo(generation);
    assertThat(device().state()).isEqualTo(State.SERVING);
    assertThat(program.text(address + Mman.PAGE_SIZE)).isEmpty();
    second.unregister();
    assertThat(device().state()).as("the first did not go with it").isEqualTo(State.SERVING);
  }

  // ---- what is seen of it ------------------------------------------------------------------------

  @Test
  void driversShowsTheNumberOfErrorsAndTheLastCause(CommandProcessor processor) throws Exception {
    long address = plug(Wrong.NULL);
    program.refusal(address);
    wrong = Wrong.THROWS;
    program.refusal(address);

    String line =
        run(processor, "drivers").toString().lines()
            .filter(l -> l.contains(context.getBundle().getSymbolicName()))
            .findFirst()
            .orElseThrow();

    assertThat(line).containsPattern("\\b2 +/dev/wrong: nopage").contains("oh")
        .doesNotContain("returned null");
  }

  @Test
  void whoIsOverItsBudgetIsQuarantinedUntilTheCommandBringsItBack(CommandProcessor processor)
      throws Exception {
    long address = plug(Wrong.THROWS);
    for (int i = 0; i <= BUDGET; i++) {
      assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
    }

    assertThat(device().state()).isEqualTo(State.QUARANTINED);
    assertThat(program.refusal(address + Mman.PAGE_SIZE)).isEqualTo(SignalCode.BUS_ADRERR);
    assertThat(log.warnings()).anyMatch(line -> line.contains("driver restore " + DEVICE));

    assertThat(run(processor, "driver restore " + DEVICE).toString())
        .contains("1 devices serve again");
    assertThat(device().state()).isEqualTo(State.SERVING);
    assertThat(program.text(address + Mman.PAGE_SIZE)).isEmpty();
  }

  // ---- the rest never notices --------------------------------------------------------------------

  /** A thread in a callback that hangs, and what the others do meanwhile. */
  private CompletableFuture<SignalCode> hang(long address) throws Exception {
    CompletableFuture<SignalCode> hanging =
        CompletableFuture.supplyAsync(() -> {
          try {
            byte unused = program.task().newCpu().getByte(address);
            return SignalCode.SI_KERNEL;
          } catch (SignalException refused) {
            return refused.info().code();
          }
        });
    // Not the count of calls under way: the watchdog may have ended this one before anybody looks.
    assertThat(hangs.await(5, TimeUnit.MINUTES)).as("the call is under way").isTrue();
    return hanging;
  }

  @Test
  void otherProcessesAndDevicesDoNotNoticeACallThatHangs() throws Exception {
    long address = plug(Wrong.HANGS, NO_LIMIT_MILLIS);
    register("right", NO_LIMIT_MILLIS);
    try (Program other = Program.start(tasks, files, memory)) {
      int fd = other.open("/dev/right");
      CompletableFuture<SignalCode> hanging = hang(address);
      for (int i = 0; i < 50; i++) {
        long mapped = other.map(fd, 4);
        assertThat(other.text(mapped + Mman.PAGE_SIZE)).isEmpty();
        other.unmap(mapped, 4);
        other.fork().close();
      }
      assertThat(hanging).as("all that was done while it hung").isNotDone();
      assertThat(device().inFlight()).isEqualTo(1);
      letGo.countDown();
      assertThat(hanging.get(5, TimeUnit.MINUTES)).isEqualTo(SignalCode.BUS_ADRERR);
    }
  }

  @Test
  void otherPagesOfTheSameProcessDoNotNoticeACallThatHangs() throws Exception {
    long address = plug(Wrong.HANGS, NO_LIMIT_MILLIS);
    CompletableFuture<SignalCode> hanging = hang(address);
    for (int i = 1; i < 4; i++) {
      assertThat(program.text(address + (long) i * Mman.PAGE_SIZE)).isEmpty();
    }
    assertThat(hanging).isNotDone();
    letGo.countDown();
    assertThat(hanging.get(5, TimeUnit.MINUTES)).isEqualTo(SignalCode.BUS_ADRERR);
  }

  // ---- a hung callback holds nobody up for more than its limit -----------------------------------

  private static void assertEndedBeforeTheCallback(long began) {
    assertThat(System.nanoTime() - began).isLessThan(TimeUnit.MILLISECONDS.toNanos(HANGS_MILLIS));
  }

  /** A thread that no interrupt has ended comes back now, and gets what the others got. */
  private void assertSigbusInTheEnd(CompletableFuture<SignalCode> hanging, Wrong how)
      throws Exception {
    if (how == Wrong.LOOPS) {
      assertThat(hanging).as("no interrupt has ended it").isNotDone();
      letGo.countDown();
    }
    assertThat(hanging.get(5, TimeUnit.MINUTES)).isEqualTo(SignalCode.BUS_ADRERR);
  }

  @ParameterizedTest
  @EnumSource(names = {"HANGS", "LOOPS"})
  void itDoesNotHoldUpExit(Wrong how) throws Exception {
    CompletableFuture<SignalCode> hanging = hang(plug(how, LIMIT_MILLIS));
    long began = System.nanoTime();
    tasks.exit(program.task(), 0);
    assertEndedBeforeTheCallback(began);
    assertThat(program.task().end()).isEqualTo("exited 0");
    assertSigbusInTheEnd(hanging, how);
  }

  @ParameterizedTest
  @EnumSource(names = {"HANGS", "LOOPS"})
  void itDoesNotHoldUpUnmapOfOtherAreas(Wrong how) throws Exception {
    long address = plug(how, LIMIT_MILLIS);
    long another =
        memory.mmap(
            program.task(), 0, Mman.PAGE_SIZE, Mman.PROT_READ,
            Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, -1, 0);
    CompletableFuture<SignalCode> hanging = hang(address);
    long began = System.nanoTime();
    program.unmap(another, 1);
    assertEndedBeforeTheCallback(began);
    assertSigbusInTheEnd(hanging, how);
  }

  @ParameterizedTest
  @EnumSource(names = {"HANGS", "LOOPS"})
  void itDoesNotHoldUpTheDriversRemoval(Wrong how) throws Exception {
    CompletableFuture<SignalCode> hanging = hang(plug(how, LIMIT_MILLIS));
    long began = System.nanoTime();
    registrations.forEach(ContainmentIT::unregister);
    assertEndedBeforeTheCallback(began);
    assertSigbusInTheEnd(hanging, how);
  }

  @ParameterizedTest
  @EnumSource(names = {"HANGS", "LOOPS"})
  void itDoesNotHoldUpShutdown(Wrong how) throws Exception {
    CompletableFuture<SignalCode> hanging = hang(plug(how, LIMIT_MILLIS));
    Bundle core =
        Arrays.stream(context.getBundles())
            .filter(bundle -> "io.faultline.core".equals(bundle.getSymbolicName()))
            .findFirst()
            .orElseThrow();
    long began = System.nanoTime();
    try {
      core.stop();
      assertEndedBeforeTheCallback(began);
      assertThat(program.task().end()).isNotEmpty();
      letGo.countDown();
      assertThat(hanging.get(5, TimeUnit.MINUTES)).isNotEqualTo(SignalCode.SI_KERNEL);
    } finally {
      core.start();
    }
  }

  @Test
  void oneThatLoopsIsQuarantinedAtOnceAndCanBeRestored(CommandProcessor processor)
      throws Exception {
    long address = plug(Wrong.LOOPS, LIMIT_MILLIS);
    CompletableFuture<SignalCode> hanging = hang(address);
    Eventually.holds("it is given up", () -> device().state() == State.QUARANTINED);
    Eventually.holds(
        "the log says so",
        () -> log.warnings().stream().anyMatch(
            line -> line.contains("reacts to no interrupt and is given up")
                && line.contains("driver restore " + DEVICE)));
    assertThat(program.refusal(address + Mman.PAGE_SIZE)).isEqualTo(SignalCode.BUS_ADRERR);
    assertThat(hanging).isNotDone();

    assertThat(run(processor, "driver restore " + DEVICE).toString())
        .contains("1 devices serve again");

    assertThat(program.text(address + Mman.PAGE_SIZE)).isEmpty();
    assertSigbusInTheEnd(hanging, Wrong.LOOPS);
  }

  /** What no allocator has given. */
  private static final class Forged implements Page {
    @Override
    public long frameNumber() {
      return 1;
    }

    @Override
    public MemorySegment segment() {
      return MemorySegment.ofArray(new byte[Mman.PAGE_SIZE]);
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
  }
}
