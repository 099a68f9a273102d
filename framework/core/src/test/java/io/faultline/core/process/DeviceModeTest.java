// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.OpenFile;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import io.faultline.kernel.ProcessImage;
import io.faultline.kernel.Task;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who may open a device node. */
class DeviceModeTest {
  private final Kernel kernel = new Kernel(16 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
  private final Task root = spawn(Credentials.ROOT);
  private final Task user = spawn(Credentials.USER);
  private int opened;

  private Task spawn(Credentials who) {
    return kernel.tasks().spawn(
        new ProcessImage(
            "somebody", KernelProfile.LINUX_6_18,
            new MmLayout(1L << 32, 0, 0, 0, 1L << 40, false), Limits.DEFAULT, who, List.of(),
            null));
  }

  @AfterEach
  void close() {
    kernel.close();
  }

  private void register(int mode) {
    AutoCloseable unused =
        kernel.devices().register(DeviceRegistration.of("secret").withMode(mode),
            new MmapProvider() {
              @Override
              public void open(OpenFile file) {
                opened++;
              }
            });
  }

  private int open(Task task, AccessMode mode) throws ErrnoException {
    return kernel.files().open(task, "/dev/secret", mode);
  }

  private void assertRefused(AccessMode mode) {
    int before = opened;
    assertThatThrownBy(() -> open(user, mode))
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EACCES))
        .hasMessageContaining("/dev/secret has mode 0").hasMessageContaining("user 1000");
    assertThat(opened).as("the driver is not asked").isEqualTo(before);
  }

  @Test
  void everybodyOpensANodeThatSaysNothing() throws ErrnoException {
    AutoCloseable unused =
        kernel.devices().register(DeviceRegistration.of("secret"), new MmapProvider() {});
    assertThat(open(user, AccessMode.READ_WRITE)).isNotNegative();
  }

  @Test
  void aNodeOf0600IsRootsAlone() throws ErrnoException {
    register(0600);
    assertRefused(AccessMode.READ_ONLY);
    assertRefused(AccessMode.WRITE_ONLY);
    assertRefused(AccessMode.READ_WRITE);
    assertThat(open(root, AccessMode.READ_WRITE)).isNotNegative();
    assertThat(opened).isEqualTo(1);
  }

  @Test
  void aNodeOf0644IsForReadingByOthers() throws ErrnoException {
    register(0644);
    assertThat(open(user, AccessMode.READ_ONLY)).isNotNegative();
    assertRefused(AccessMode.WRITE_ONLY);
    assertRefused(AccessMode.READ_WRITE);
  }

  @Test
  void rootNeedsNoPermission() throws ErrnoException {
    register(0);
    assertThat(open(root, AccessMode.READ_WRITE)).isNotNegative();
  }

  @Test
  void aNameNeedsNoPermissionOfTheNode() throws ErrnoException {
    register(0);
    assertThat(open(user, AccessMode.PATH)).isNotNegative();
  }
}
