// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.itests.harness.Machine;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.SignalCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * The gap between two versions of a driver, on a machine whose gap is far longer than any of these tests:
 * whoever gets an answer got it since the driver is back, or since it will not come back, and not since
 * the time was over.
 */
@InFelix
class GapIT {
  private static final int GAP_MINUTES = 30;
  private static final String LOCATION = "gap:driver";

  private BundleContext context;
  private Machine machine;
  private Program program;
  private Devices devices;

  @BeforeEach
  void bootAMachineWithALongGap(BundleContext bundle, ConfigurationAdmin configurations)
      throws Exception {
    context = bundle;
    machine =
        Machine.boot(
            bundle, configurations,
            Map.of("driver.gap.millis", (int) TimeUnit.MINUTES.toMillis(GAP_MINUTES)));
    devices = machine.service(Devices.class);
    program =
        Program.start(
            machine.service(Tasks.class), machine.service(Files.class),
            machine.service(VmaService.class));
  }

  @AfterEach
  void bootTheFirstMachine() throws Exception {
    try (Machine running = machine) {
      program.close();
      Bundle left = context.getBundle(LOCATION);
      if (left != null) {
        left.uninstall();
      }
    }
  }

  private Bundle install(byte[] jar, String device) throws Exception {
    Bundle bundle = context.installBundle(LOCATION, new ByteArrayInputStream(jar));
    bundle.start();
    Eventually.holds(device, () -> devices.find(device).isPresent());
    return bundle;
  }

  private CompletableFuture<String> access(long address) {
    return CompletableFuture.supplyAsync(() -> program.text(address));
  }

  /** So long as a wrong answer would need, on a machine that is not slow. */
  private static void assertWaits(CompletableFuture<?> access) throws InterruptedException {
    Thread.sleep(200);
    assertThat(access).isNotDone();
  }

  @Test
  void accessesWaitThroughAPlainUpdate() throws Exception {
    Bundle bundle = install(DriverJar.ofVersion("1.0.0.a"), "/dev/stamp");
    long address = program.map(program.open("/dev/stamp"), 1);
    bundle.stop();
    CompletableFuture<String> access = access(address);
    assertWaits(access);

    bundle.update(new ByteArrayInputStream(DriverJar.ofVersion("1.2.0.c")));
    bundle.start();

    assertThat(access.get(5, TimeUnit.MINUTES)).isEqualTo("stamp 1.2.0.c");
  }

  @Test
  void anAccessInTheGapFindsTheContentsBehindIt() throws Exception {
    Bundle bundle = install(scullp(), "/dev/scullp0");
    int fd = program.open("/dev/scullp0");
    program.writePage(fd, "kept");
    long address = program.map(fd, 1);
    bundle.stop();
    CompletableFuture<String> access = access(address);
    assertWaits(access);

    bundle.start();

    assertThat(access.get(5, TimeUnit.MINUTES)).isEqualTo("kept");
  }

  private byte[] scullp() throws IOException {
    return java.nio.file.Files.readAllBytes(
        Path.of(context.getProperty("faultline.available"), "scullp.jar"));
  }

  @Test
  void nobodyWaitsForABundleThatIsUninstalled() throws Exception {
    Bundle bundle = install(DriverJar.ofVersion("1.0.0.sigbus"), "/dev/stamp");
    long address = program.map(program.open("/dev/stamp"), 1);
    assertThat(program.text(address)).isEqualTo("stamp 1.0.0.sigbus");

    bundle.uninstall();

    CompletableFuture<SignalCode> refusal =
        CompletableFuture.supplyAsync(() -> program.refusal(address));
    assertThat(refusal.get(5, TimeUnit.MINUTES)).isEqualTo(SignalCode.BUS_ADRERR);
  }
}
