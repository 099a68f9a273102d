// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.UnplugPolicy;
import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.TraceListener;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Signal;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * A driver's bundle is uninstalled while processes have its device mapped. That nobody waits for one that
 * was uninstalled: {@link GapIT}.
 */
@InFelix
class UnplugIT {
  private static final String DEVICE = "/dev/stamp";
  private static final String LOCATION = "unplug:stamp";

  private BundleContext context;
  private Devices devices;
  private Tasks tasks;
  private Program program;

  @BeforeEach
  void setUp(
      BundleContext bundle, Devices table, Tasks processes, Files files, VmaService memory) {
    context = bundle;
    devices = table;
    tasks = processes;
    program = Program.start(processes, files, memory);
  }

  @AfterEach
  void end() throws Exception {
    program.close();
    Bundle left = context.getBundle(LOCATION);
    if (left != null) {
      left.uninstall();
    }
    Eventually.holds(DEVICE + " is gone", () -> devices.find(DEVICE).isEmpty());
  }

  private Bundle install(String version) throws Exception {
    Bundle bundle =
        context.installBundle(
            LOCATION, new ByteArrayInputStream(DriverJar.ofVersion(version)));
    bundle.start();
    return bundle;
  }

  private CompletableFuture<String> access(long address) {
    return CompletableFuture.supplyAsync(() -> program.text(address));
  }

  private static void assertWaits(CompletableFuture<?> access) throws InterruptedException {
    // Longer than the gap after which other policies answer.
    Thread.sleep(2300);
    assertThat(access).isNotDone();
  }

  // ---- sigbus -----------------------------------------------------------------------------------

  @Test
  void sigbusIsThePolicyOfADriverThatDeclaresNone() throws Exception {
    Bundle bundle = install("1.0.0.none");
    assertThat(devices.find(DEVICE).map(DeviceInfo::unplug)).contains(UnplugPolicy.SIGBUS);
    long address = program.map(program.open(DEVICE), 1);
    bundle.uninstall();
    assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
  }

  @Test
  void closeIsCalledWhileTheDriversCodeIsThere() throws Exception {
    List<String> heard = new CopyOnWriteArrayList<>();
    ServiceRegistration<TraceListener> listener =
        context.registerService(
            TraceListener.class,
            event -> {
              if (event.kind() == TraceEvent.Kind.CLOSE
                  || event.kind() == TraceEvent.Kind.DRIVER) {
                heard.add(event.text());
              }
            },
            null);
    Bundle bundle = install("1.0.0.sigbus");
    program.map(program.open(DEVICE), 1);
    bundle.uninstall();
    listener.unregister();
    assertThat(heard)
        .containsSubsequence(
            DriverJar.NAME + " 1.0.0.sigbus registered", "close",
            DriverJar.NAME + " 1.0.0.sigbus unregistered");
  }

  // ---- wait -------------------------------------------------------------------------------------

  @Test
  void waitHoldsAccessesUntilTheDeviceComesBack() throws Exception {
    Bundle bundle = install("1.0.0.wait");
    long address = program.map(program.open(DEVICE), 1);
    assertThat(program.text(address)).isEqualTo("stamp 1.0.0.wait");
    bundle.uninstall();
    CompletableFuture<String> access = access(address);
    assertWaits(access);

    install("2.0.0.wait");

    assertThat(access.get(5, TimeUnit.MINUTES)).isEqualTo("stamp 2.0.0.wait");
  }

  @Test
  void waitIsEndedByKillingTheProcess() throws Exception {
    Bundle bundle = install("1.0.0.wait");
    long address = program.map(program.open(DEVICE), 1);
    bundle.uninstall();
    CompletableFuture<String> access = access(address);
    assertWaits(access);

    tasks.kill(program.task(), Signal.SIGKILL);

    assertThatThrownBy(() -> access.get(5, TimeUnit.MINUTES))
        .hasCauseInstanceOf(SignalException.class);
  }

  // ---- zero -------------------------------------------------------------------------------------

  @Test
  void zeroGivesPagesOfZerosThatCanBeWritten() throws Exception {
    Bundle bundle = install("1.0.0.zero");
    long address = program.map(program.open(DEVICE), 2);
    assertThat(program.text(address)).isEqualTo("stamp 1.0.0.zero");

    bundle.uninstall();

    assertThat(program.text(address)).isEmpty();
    program.putText(address, "kept by this process");
    assertThat(program.text(address)).isEqualTo("kept by this process");
  }

  @Test
  void zeroPagesAreDroppedWhenTheDeviceComesBack() throws Exception {
    Bundle bundle = install("1.0.0.zero");
    long address = program.map(program.open(DEVICE), 1);
    bundle.uninstall();
    program.putText(address, "gone");
    install("2.0.0.zero");
    assertThat(program.text(address)).isEqualTo("stamp 2.0.0.zero");
  }

  // ---- configuration ----------------------------------------------------------------------------

  @Test
  void aConfigurationOverridesThePolicyThatADriverDeclares(ConfigurationAdmin configurations)
      throws Exception {
    Configuration configuration =
        configurations.getConfiguration("io.faultline.driver.scullp", "?");
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put("device.unplug", "zero");
    configuration.update(properties);
    Path jar = Path.of(context.getProperty("faultline.available"), "scullp.jar");
    Bundle scullp = context.installBundle(jar.toUri().toString());
    try {
      scullp.start();
      Eventually.holds(
          "the configured policy",
          () -> devices.find("/dev/scullp0").map(DeviceInfo::unplug)
              .filter(UnplugPolicy.ZERO::equals).isPresent());
      int fd = program.open("/dev/scullp0");
      program.writePage(fd, "scullp");
      long address = program.map(fd, 1);
      assertThat(program.text(address)).isEqualTo("scullp");

      scullp.uninstall();

      assertThat(program.text(address)).as("zeros, not SIGBUS").isEmpty();
    } finally {
      if (scullp.getState() != Bundle.UNINSTALLED) {
        scullp.uninstall();
      }
      configuration.delete();
    }
  }

  @Test
  void aConfigurationThatComesLaterChangesThePolicyOfADeviceThatIsMapped(
      ConfigurationAdmin configurations) throws Exception {
    Path jar = Path.of(context.getProperty("faultline.available"), "scullp.jar");
    Bundle scullp = context.installBundle(jar.toUri().toString());
    Configuration configuration =
        configurations.getConfiguration("io.faultline.driver.scullp", "?");
    try {
      scullp.start();
      Eventually.holds("/dev/scullp0", () -> devices.find("/dev/scullp0").isPresent());
      assertThat(devices.find("/dev/scullp0").map(DeviceInfo::unplug))
          .contains(UnplugPolicy.SIGBUS);
      int fd = program.open("/dev/scullp0");
      program.writePage(fd, "scullp");
      long address = program.map(fd, 1);
      Dictionary<String, Object> properties = new Hashtable<>();
      properties.put("device.unplug", "zero");

      configuration.update(properties);

      Eventually.holds(
          "the configured policy",
          () -> devices.find("/dev/scullp0").map(DeviceInfo::unplug)
              .filter(UnplugPolicy.ZERO::equals).isPresent());
      assertThat(program.text(address)).as("it has not gone").isEqualTo("scullp");
      scullp.uninstall();
      assertThat(program.text(address)).as("zeros, not SIGBUS").isEmpty();
    } finally {
      if (scullp.getState() != Bundle.UNINSTALLED) {
        scullp.uninstall();
      }
      configuration.delete();
    }
  }
}
