// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.device.UnplugPolicy;
import io.faultline.itests.harness.InFelix;
import io.faultline.itests.harness.KernelLog;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Drivers;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.SignalCode;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.util.Hashtable;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/** What a driver's service does wrong costs an access, is counted, and in the end the driver. */
@InFelix
class ContainmentIT {
  private static final String DEVICE = "/dev/wrong";
  private static final int BUDGET = 100;

  /** What goes wrong at the first page. */
  enum Wrong {
    THROWS("oh"),
    NULL("returned null"),
    FOREIGN_PAGE("not of this kernel"),
    FREED_PAGE("freed"),
    HANGS("took longer than 100 ms"),
    MAPS_IN_THE_SAME_SPACE("called back");

    final String cause;

    Wrong(String cause) {
      this.cause = cause;
    }
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
        case MAPS_IN_THE_SAME_SPACE -> recurse();
      };
    }

    private Nopage hang() {
      try {
        Thread.sleep(60_000);
      } catch (InterruptedException watchdog) {
        // The end.
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
  private VmaService memory;
  private Program program;
  private Devices devices;
  private KernelLog log;
  private BundleContext context;
  private volatile Wrong wrong = Wrong.THROWS;
  private @Nullable ServiceRegistration<MmapProvider> registration;

  @BeforeEach
  void setUp(
      BundleContext bundle, Devices table, Tasks tasks, Files files, VmaService calls,
      PageAllocator pages)
      throws ErrnoException {
    context = bundle;
    devices = table;
    memory = calls;
    log = new KernelLog();
    page = pages.allocate();
    freed = pages.allocate();
    freed.put();
    program = Program.start(tasks, files, calls);
  }

  @AfterEach
  void end() {
    program.close();
    if (registration != null) {
      registration.unregister();
    }
    page.put();
    log.close();
  }

  private long plug(UnplugPolicy policy) throws ErrnoException {
    registration =
        context.registerService(
            MmapProvider.class, new Driver(),
            new Hashtable<>(
                Map.<String, Object>of(
                    "device.name", "wrong", "device.timeoutMillis", 100,
                    "device.unplug", policy.name().toLowerCase(java.util.Locale.ROOT))));
    return program.map(program.open(DEVICE), 4);
  }

  private DeviceInfo device() {
    return devices.find(DEVICE).orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(Wrong.class)
  void costsOneAccessAndIsCountedWithItsCause(Wrong what) throws Exception {
    wrong = what;
    long address = plug(UnplugPolicy.SIGBUS);

    assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);

    assertThat(device().errors()).isEqualTo(1);
    assertThat(device().lastError()).contains(DEVICE, what.cause);
    assertThat(program.text(address + Mman.PAGE_SIZE)).as("the rest never notices").isEmpty();
    assertThat(device().state()).isEqualTo(State.SERVING);
  }

  @Test
  void whoIsOverItsBudgetIsQuarantinedUntilItIsRestored(Drivers drivers) throws Exception {
    long address = plug(UnplugPolicy.SIGBUS);
    for (int i = 0; i <= BUDGET; i++) {
      assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
    }

    assertThat(device().state()).isEqualTo(State.QUARANTINED);
    assertThat(program.refusal(address + Mman.PAGE_SIZE)).isEqualTo(SignalCode.BUS_ADRERR);
    assertThat(log.warnings()).anyMatch(line -> line.contains("driver restore " + DEVICE));

    assertThat(drivers.restore(DEVICE)).isEqualTo(1);
    assertThat(program.text(address + Mman.PAGE_SIZE)).isEmpty();
  }

  @Test
  void aDeclaredPolicyAnswersWhenTheDriverIsGone() throws Exception {
    long address = plug(UnplugPolicy.ZERO);
    program.putText(address + Mman.PAGE_SIZE, "before");
    if (registration != null) {
      registration.unregister();
      registration = null;
    }
    assertThat(program.text(address + Mman.PAGE_SIZE)).as("zeros, after the gap").isEmpty();
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
