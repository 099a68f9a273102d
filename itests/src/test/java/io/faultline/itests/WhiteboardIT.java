// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.DeviceNumber;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.InFelix;
import io.faultline.itests.harness.KernelLog;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.TraceListener;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.SignalCode;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceRegistration;

/** Drivers and trace listeners come and go as services. */
@InFelix
class WhiteboardIT {
  private static final MmapProvider NOTHING = new MmapProvider() {};

  private BundleContext context;
  private Devices devices;
  private KernelLog log;
  private final List<ServiceRegistration<MmapProvider>> registrations = new ArrayList<>();

  @BeforeEach
  void kernel(BundleContext bundle, Devices table) {
    context = bundle;
    devices = table;
    log = new KernelLog();
    assertThat(devices.list()).as("left by another test").isEmpty();
  }

  @AfterEach
  void end() {
    log.close();
    for (ServiceRegistration<MmapProvider> registration : registrations) {
      try {
        registration.unregister();
      } catch (IllegalStateException gone) {
        // By the test itself.
      }
    }
  }

  private ServiceRegistration<MmapProvider> register(
      MmapProvider driver, Map<String, Object> properties) {
    ServiceRegistration<MmapProvider> registration =
        context.registerService(MmapProvider.class, driver, dictionary(properties));
    registrations.add(registration);
    return registration;
  }

  private static Dictionary<String, Object> dictionary(Map<String, Object> properties) {
    return new Hashtable<>(properties);
  }

  private List<String> paths() {
    return devices.list().stream().map(DeviceInfo::path).toList();
  }

  private DeviceInfo find(String path) {
    return devices.find(path).orElseThrow();
  }

  // Drivers.

  @Test
  void aServiceGetsTheNodesThatItsPropertiesAskFor() {
    ServiceRegistration<MmapProvider> registration =
        register(NOTHING, Map.of("device.name", "disk", "device.major", 8, "device.minor", 16L,
            "device.count", "2"));

    assertThat(paths()).containsExactly("/dev/disk0", "/dev/disk1");
    assertThat(find("/dev/disk1").number()).isEqualTo(new DeviceNumber(8, 17));

    registration.unregister();
    assertThat(devices.list()).isEmpty();
  }

  @Test
  void aNodeNamesTheBundleAndItsVersion() {
    ServiceRegistration<MmapProvider> registration =
        register(NOTHING, Map.of("device.name", "named"));

    assertThat(find("/dev/named").driver()).isEqualTo(context.getBundle().getSymbolicName());
    assertThat(find("/dev/named").driverVersion())
        .isEqualTo(context.getBundle().getVersion().toString());

    registration.unregister();
  }

  @Test
  void aServiceWithoutANameIsOneLineInTheLog() {
    ServiceRegistration<MmapProvider> registration = register(NOTHING, Map.of());

    assertThat(log.warnings()).singleElement().asString()
        .contains(context.getBundle().getSymbolicName(), "device.name: missing", "@Device")
        .doesNotContain("\n");
    assertThat(devices.list()).isEmpty();
    registration.unregister();
  }

  @Test
  void aMalformedPropertyIsOneLineInTheLogAndHarmsNobodyElse() {
    ServiceRegistration<MmapProvider> malformed =
        register(NOTHING, Map.of("device.name", "a", "device.major", "many"));
    ServiceRegistration<MmapProvider> slash = register(NOTHING, Map.of("device.name", "/dev/b"));
    ServiceRegistration<MmapProvider> good = register(NOTHING, Map.of("device.name", "c"));

    assertThat(log.warnings()).hasSize(2);
    assertThat(log.warnings().get(0)).contains("device.major: many").doesNotContain("\n");
    assertThat(log.warnings().get(1)).contains("\"/dev/b\"").doesNotContain("\n");
    assertThat(paths()).containsExactly("/dev/c");
    malformed.unregister();
    slash.unregister();
    good.unregister();
  }

  @Test
  void ofTwoWithOneNameTheSecondWaitsForTheFirstToGo() {
    ServiceRegistration<MmapProvider> first =
        register(NOTHING, Map.of("device.name", "one", "device.major", 240));
    ServiceRegistration<MmapProvider> second =
        register(NOTHING, Map.of("device.name", "one", "device.major", 241));

    assertThat(log.warnings()).singleElement().asString().contains("/dev/one is taken");
    assertThat(find("/dev/one").number().major()).isEqualTo(240);

    first.unregister();
    assertThat(find("/dev/one").number().major()).isEqualTo(241);
    assertThat(log.warnings()).hasSize(1);

    second.unregister();
    assertThat(devices.list()).isEmpty();
  }

  @Test
  void oneThatWaitedAndWentIsForgotten() {
    ServiceRegistration<MmapProvider> first = register(NOTHING, Map.of("device.name", "one"));
    ServiceRegistration<MmapProvider> second = register(NOTHING, Map.of("device.name", "one"));
    second.unregister();

    assertThat(paths()).containsExactly("/dev/one");
    first.unregister();
    assertThat(devices.list()).isEmpty();
  }

  @Test
  void theNextVersionOfABundleTakesOverWhenTheOldOneGoes(
      Tasks tasks, Files files, VmaService memory) throws Exception {
    Bundle one = installStamp("1.0.0");
    Bundle two = installStamp("2.0.0");
    assertThat(find("/dev/stamp").driverVersion()).isEqualTo("1.0.0");
    assertThat(find("/dev/stamp").pages()).as("its own, not its successor's").isEqualTo(1);
    try (Program program = Program.start(tasks, files, memory)) {
      long old = program.map(program.open("/dev/stamp"), 1);
      assertThat(program.text(old)).isEqualTo("stamp 1.0.0");

      one.uninstall();

      assertThat(program.refusal(old)).isEqualTo(SignalCode.BUS_ADRERR);
      long now = program.map(program.open("/dev/stamp"), 1);
      assertThat(program.text(now)).isEqualTo("stamp 2.0.0");
    }
    two.uninstall();
    assertThat(devices.list()).isEmpty();
    assertThat(log.warnings()).as("a version that waits is no problem").isEmpty();
  }

  private Bundle installStamp(String version) throws IOException, BundleException {
    Bundle bundle =
        context.installBundle(
            "stamp:" + version, new ByteArrayInputStream(DriverJar.ofVersion(version)));
    bundle.start();
    return bundle;
  }

  @Test
  void changedPropertiesMoveTheNode() {
    ServiceRegistration<MmapProvider> registration =
        register(NOTHING, Map.of("device.name", "before"));
    registration.setProperties(dictionary(Map.of("device.name", "after")));
    assertThat(paths()).containsExactly("/dev/after");

    registration.setProperties(dictionary(Map.of("device.name", "after", "colour", "blue")));
    assertThat(log.warnings()).isEmpty();
    assertThat(paths()).containsExactly("/dev/after");

    registration.unregister();
    assertThat(devices.list()).isEmpty();
  }

  /** Writes down what it is asked, and by that proves that it can be asked. */
  private static final class Noting implements MmapProvider, VmOperations {
    private final List<String> heard = new CopyOnWriteArrayList<>();

    @Override
    public void release(OpenFile file) {
      heard.add("release");
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(this);
    }

    @Override
    public void close(Vma vma) {
      heard.add("close");
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return Nopage.SIGBUS;
    }
  }

  @Test
  void whenTheServiceIsUnregisteredItsAreasAndFilesAreClosedBeforeThatReturns(
      Tasks tasks, Files files, VmaService memory) throws Exception {
    Noting driver = new Noting();
    ServiceRegistration<MmapProvider> registration =
        register(driver, Map.of("device.name", "noting"));
    try (Program program = Program.start(tasks, files, memory)) {
      int fd = program.open("/dev/noting");
      program.map(fd, 1);

      registration.unregister();

      assertThat(driver.heard).containsExactly("close", "release");
      assertThatThrownBy(() -> program.map(fd, 1))
          .isInstanceOfSatisfying(
              ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
    }
    assertThat(driver.heard).as("nothing after it is gone").containsExactly("close", "release");
  }

  @Test
  void aComponentKeepsItsDataWhileNobodyHasItOpen(
      Tasks tasks, Files files, VmaService memory) throws Exception {
    Path jar = Path.of(context.getProperty("faultline.available"), "scullp.jar");
    Bundle scullp = context.installBundle(jar.toUri().toString());
    scullp.start();
    try (Program program = Program.start(tasks, files, memory)) {
      program.writePage(program.open("/dev/scullp3"), "still here");
    }
    try (Program program = Program.start(tasks, files, memory)) {
      assertThat(program.text(program.map(program.open("/dev/scullp3"), 1)))
          .isEqualTo("still here");
    }
    scullp.uninstall();
    assertThat(devices.list()).isEmpty();
  }

  @Test
  void aCallThatHangsIsInterruptedAfterItsDevicesTimeLimit(
      Tasks tasks, Files files, VmaService memory) throws Exception {
    ServiceRegistration<MmapProvider> registration =
        register(
            new MmapProvider() {
              @Override
              public int read(OpenFile file, long offset, MemorySegment target) {
                try {
                  Thread.sleep(600_000);
                } catch (InterruptedException e) {
                  // The watchdog.
                }
                return 0;
              }
            },
            Map.of("device.name", "slow", "device.timeoutMillis", 60));
    try (Program program = Program.start(tasks, files, memory)) {
      int fd = program.open("/dev/slow");
      assertThatThrownBy(
          () -> files.read(program.task(), fd, MemorySegment.ofArray(new byte[8])))
          .isInstanceOfSatisfying(
              ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
    }
    assertThat(log.warnings()).singleElement().asString()
        .contains("/dev/slow", context.getBundle().getSymbolicName(), "60 ms");
    registration.unregister();
  }

  @Test
  void whatADriverThrowsIsLoggedWithItsNameAndStackTrace(
      Tasks tasks, Files files, VmaService memory) {
    ServiceRegistration<MmapProvider> registration =
        register(
            new MmapProvider() {
              @Override
              public void open(OpenFile file) {
                throw new IllegalStateException("out of order");
              }
            },
            Map.of("device.name", "broken"));
    try (Program program = Program.start(tasks, files, memory)) {
      assertThatThrownBy(() -> program.open("/dev/broken")).isInstanceOf(ErrnoException.class);
    }
    assertThat(log.warnings()).singleElement().asString()
        .contains("/dev/broken", context.getBundle().getSymbolicName(), "out of order", "at ");
    registration.unregister();
  }

  // Trace listeners.

  @Test
  void aTraceListenerHearsTheKernelAsLongAsItIsRegistered(Tasks tasks) {
    List<TraceEvent.Kind> heard = new CopyOnWriteArrayList<>();
    ServiceRegistration<TraceListener> registration =
        context.registerService(TraceListener.class, event -> heard.add(event.kind()), null);

    tasks.exit(tasks.spawn("heard"), 0);
    assertThat(heard).contains(TraceEvent.Kind.SPAWN, TraceEvent.Kind.EXIT);

    registration.unregister();
    heard.clear();
    tasks.exit(tasks.spawn("unheard"), 0);
    assertThat(heard).isEmpty();
  }
}
