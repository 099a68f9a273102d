// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import static io.faultline.testkit.Refusals.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import org.junit.jupiter.api.Test;

/** What {@code uio_dev_add_attributes} of Linux makes. */
@FaultlineTest
class SysfsTest {
  private static final DeviceRegistration NODE =
      new DeviceRegistration("uio0", 0, 0, 1, 2000, "uio", "1.0.0");

  private final Program program;
  private final UioDevice device;
  private final int fd;

  SysfsTest(BootedKernel kernel) throws Exception {
    device = new UioDevice(kernel.memory("uio"), kernel.io(NODE));
    AutoCloseable node = kernel.devices().register(NODE, new Uio(device, 0));
    AutoCloseable mount = kernel.devices().mount(
        Sysfs.DIRECTORY, DeviceRegistration.of("sysfs"), new Sysfs(device));
    assertThat(node).isNotSameAs(mount);
    program = kernel.spawn();
    fd = program.open("/dev/uio0", AccessMode.READ_WRITE);
  }

  private String cat(String file) throws ErrnoException {
    int opened = program.open(Sysfs.DIRECTORY + "/" + file, AccessMode.READ_ONLY);
    String text = program.read(opened, 0, 4096);
    program.close(opened);
    return text;
  }

  @Test
  void eachMapHasFourFiles() throws Exception {
    assertThat(cat("maps/map0/name")).isEqualTo("buffers\n");
    assertThat(cat("maps/map0/size")).isEqualTo("0x0000000000004000\n");
    assertThat(cat("maps/map1/addr")).isEqualTo(
        "0x%016x\n".formatted(device.maps().get(1).address()));
    assertThat(cat("maps/map2/offset")).isEqualTo("0x200\n");
    assertThat(cat("maps/map0/offset")).isEqualTo("0x0\n");
  }

  @Test
  void whoLooksForMapsFindsThemAll() throws Exception {
    int maps = 0;
    while (exists("maps/map" + maps + "/name")) {
      long size = Long.decode(cat("maps/map" + maps + "/size").strip());
      long address = program.mmapShared(fd, size, (long) maps * Mman.PAGE_SIZE);
      assertThat(program.area(address).length()).isEqualTo(size);
      maps++;
    }
    assertThat(maps).isEqualTo(4);
  }

  private boolean exists(String file) throws ErrnoException {
    try {
      program.close(program.open(Sysfs.DIRECTORY + "/" + file, AccessMode.READ_ONLY));
      return true;
    } catch (ErrnoException refused) {
      assertThat(refused.errno()).isEqualTo(Errno.ENOENT);
      return false;
    }
  }

  @Test
  void eventIsTheCountOfNow() throws Exception {
    assertThat(cat("event")).isEqualTo("0\n");
    device.interrupts().raise();
    assertThat(cat("event")).isEqualTo("1\n");
    assertThat(cat("name")).isEqualTo("faultline\n");
    assertThat(cat("version")).isEqualTo("1\n");
  }

  @Test
  void theFilesAreReadInPartsAndNotWritten() throws Exception {
    int file = program.open(Sysfs.DIRECTORY + "/maps/map0/name", AccessMode.READ_ONLY);
    assertThat(program.read(file, 0, 3)).isEqualTo("buf");
    assertThat(program.read(file, 3, 100)).isEqualTo("fers\n");
    assertThat(program.read(file, 8, 100)).isEmpty();
    assertThat(program.read(file, 1000, 100)).isEmpty();
    assertFails(Errno.ENODEV, () -> program.mmapPrivate(file, Mman.PAGE_SIZE, 0));
    assertFails(
        Errno.EACCES,
        () -> program.open(Sysfs.DIRECTORY + "/maps/map0/name", AccessMode.READ_WRITE));
    assertFails(
        Errno.ENOENT, () -> program.open(Sysfs.DIRECTORY + "/maps", AccessMode.READ_ONLY));
  }
}
