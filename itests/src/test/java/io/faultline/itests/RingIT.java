// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalCode;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/** {@code ring.jar} in a running kernel. */
@InFelix
class RingIT {
  private static final String DEVICE = "/dev/ring0";
  private static final int DATA_PAGES = 16;

  private static Bundle install(BundleContext context, Devices devices) throws BundleException {
    Path jar = Path.of(context.getProperty("faultline.available"), "ring.jar");
    Bundle bundle = context.installBundle(jar.toUri().toString());
    bundle.start();
    Eventually.holds(DEVICE + " is there", () -> present(devices));
    return bundle;
  }

  private static boolean present(Devices devices) {
    return devices.find(DEVICE).filter(DeviceInfo::present).isPresent();
  }

  @Test
  void whatLiesOverTheSeamIsOnePieceAndOutlivesTheBundle(
      BundleContext context, Devices devices, Tasks tasks, Files files, VmaService memory)
      throws Exception {
    Bundle bundle = install(context, devices);
    try (Program producer = Program.start(tasks, files, memory);
        Program consumer = producer.fork()) {
      long from = producer.map(producer.open(DEVICE), 1 + 2 * DATA_PAGES);
      long to = consumer.map(consumer.open(DEVICE), 1 + 2 * DATA_PAGES);
      long seam = (long) (1 + DATA_PAGES) * Mman.PAGE_SIZE;
      producer.putText(from + seam - 4, "in one piece");
      assertThat(consumer.text(to + Mman.PAGE_SIZE)).isEqualTo("ne piece");

      bundle.uninstall();
      Eventually.holds(DEVICE + " is absent", () -> !present(devices));
      assertThat(consumer.refusal(to + seam)).isEqualTo(SignalCode.BUS_ADRERR);

      bundle = install(context, devices);
      Eventually.holds(
          "the areas are re-attached",
          () -> devices.find(DEVICE).orElseThrow().areas() == 2);
      assertThat(consumer.text(to + Mman.PAGE_SIZE)).isEqualTo("ne piece");
    } finally {
      if (bundle.getState() != Bundle.UNINSTALLED) {
        bundle.uninstall();
      }
      Eventually.holds(DEVICE + " is absent", () -> !present(devices));
    }
  }
}
