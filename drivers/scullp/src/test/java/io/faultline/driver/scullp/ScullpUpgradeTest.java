// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import org.junit.jupiter.api.Test;

/** Another version takes over the devices, their data, files and areas. */
@FaultlineTest
class ScullpUpgradeTest {
  private static final int PAGE = Mman.PAGE_SIZE;

  private static DeviceRegistration version(int number) {
    return DeviceRegistration.of("scullp").withCount(Scullp.DEVICES)
        .withVersion(number + ".0.0");
  }

  private final BootedKernel kernel;
  private final Scullp old;
  private final AutoCloseable registered;
  private final Program program;

  ScullpUpgradeTest(BootedKernel kernel) {
    this.kernel = kernel;
    old = new Scullp(kernel.pages(version(1)), new Geometry(0, 3));
    registered = kernel.devices().register(version(1), old);
    program = kernel.spawn();
  }

  private Scullp upgrade() throws Exception {
    Scullp next = new Scullp(kernel.pages(version(2)), new Geometry(0, 500));
    AutoCloseable unused = kernel.devices().replace(registered, version(2), next, upgrade -> {
    });
    old.deactivate();
    kernel.validate();
    return next;
  }

  @Test
  void dataHolesAndSizeAreWhatTheyWere() throws Exception {
    int fd = program.open("/dev/scullp2", AccessMode.READ_WRITE);
    program.write(fd, 0, "first");
    program.write(fd, 9L * PAGE + 10, "far");
    long address = program.mmapShared(fd, 16L * PAGE, 0);
    program.poke(address, "FIRST");

    Scullp next = upgrade();

    assertThat(program.read(fd, 0, 5)).isEqualTo("FIRST");
    assertThat(program.read(fd, 9L * PAGE + 10, 10)).isEqualTo("far");
    assertThat(program.read(fd, 5L * PAGE, 10)).as("a hole").isEmpty();
    assertThat(program.peek(address + 9L * PAGE + 10, 3)).isEqualTo("far");
    program.exit();
    next.deactivate();
    assertThat(kernel.pages(version(2)).allocated()).isZero();
  }

  @Test
  void aDeviceThatIsMappedIsStillNotTrimmed() throws Exception {
    int fd = program.open("/dev/scullp0", AccessMode.READ_WRITE);
    program.write(fd, 0, "kept");
    long address = program.mmapShared(fd, PAGE, 0);
    upgrade();

    program.open("/dev/scullp0", AccessMode.WRITE_ONLY);
    assertThat(program.read(fd, 0, 4)).isEqualTo("kept");

    unmapAndTrim(address);
    assertThat(program.read(fd, 0, 4)).isEmpty();
  }

  private void unmapAndTrim(long address) throws ErrnoException {
    program.munmap(address, PAGE);
    program.open("/dev/scullp0", AccessMode.WRITE_ONLY);
  }
}
