// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.zero;

import static io.faultline.testkit.Refusals.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import io.faultline.testkit.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code read}, {@code write} and refusals of all three devices, as Linux 6.18 answers. */
@FaultlineTest
class MemoryDevicesTest {
  private final Kernel kernel;
  private final Program program;

  MemoryDevicesTest(Kernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
    installAll(kernel);
  }

  static void installAll(Kernel kernel) {
    kernel.devices().register(registration("zero", 5), new ZeroDevice());
    kernel.devices().register(registration("null", 3), new NullDevice());
    kernel.devices().register(registration("full", 7), new FullDevice());
  }

  private static DeviceRegistration registration(String name, int minor) {
    return new DeviceRegistration(name, 1, minor, 1, 2000, "io.faultline.driver.zero", "0.1.0");
  }

  @ParameterizedTest
  @CsvSource({"null, 3", "zero, 5", "full, 7"})
  void hasLinuxsNumber(String name, int minor) {
    assertThat(kernel.devices().find("/dev/" + name)).map(DeviceInfo::number)
        .contains(new DeviceNumber(1, minor));
  }

  @ParameterizedTest
  @ValueSource(strings = {"zero", "full"})
  void readsZerosAtEveryOffset(String name) throws ErrnoException {
    int fd = open(name);

    assertThat(program.read(fd, 0, 70_000)).isEqualTo("\0".repeat(70_000));
    assertThat(program.read(fd, 1L << 40, 10)).isEqualTo("\0".repeat(10));
    assertThat(program.read(fd, 0, 0)).isEmpty();
  }

  @Test
  void nullIsAtItsEnd() throws ErrnoException {
    assertThat(program.read(open("null"), 0, 70_000)).isEmpty();
    assertThat(program.read(open("null"), 123_456, 10)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"zero", "null"})
  void swallowsWhatIsWritten(String name) throws ErrnoException {
    int fd = open(name);

    assertThat(program.write(fd, 0, "x".repeat(70_000))).isEqualTo(70_000);
    assertThat(program.write(fd, 99_999, "")).isZero();
    assertThat(program.read(fd, 0, 10)).doesNotContain("x");
  }

  @Test
  void fullHasNoRoomForAnyWrite() throws ErrnoException {
    int fd = open("full");

    assertFails(Errno.ENOSPC, () -> program.write(fd, 0, "x"));
    assertFails(Errno.ENOSPC, () -> program.write(fd, 0, ""));
    assertFails(Errno.ENOSPC, () -> program.write(fd, 99_999, "x"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "full"})
  void cannotBeMapped(String name) throws ErrnoException {
    int fd = open(name);

    assertFails(Errno.ENODEV, () -> program.mmapPrivate(fd, 8192, 0));
    assertFails(Errno.ENODEV, () -> program.mmapShared(fd, 8192, 0x5000));
    assertFails(Errno.ENODEV, () -> program.mmap(fd, 8192, Mman.PROT_NONE, Mman.MAP_PRIVATE, 0));
    assertFails(Errno.ENODEV, () -> program.mmap(fd, 8192, Mman.PROT_READ,
        Mman.MAP_PRIVATE | Mman.MAP_GROWSDOWN, 0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"zero", "null", "full"})
  void theFilesModeIsCheckedFirst(String name) throws ErrnoException {
    int writeOnly = program.open("/dev/" + name, AccessMode.WRITE_ONLY);
    int readOnly = program.open("/dev/" + name, AccessMode.READ_ONLY);

    assertFails(Errno.EACCES, () -> program.mmapPrivate(writeOnly, 8192, 0));
    assertFails(Errno.EACCES,
        () -> program.mmap(writeOnly, 8192, Mman.PROT_WRITE, Mman.MAP_SHARED, 0));
    assertFails(Errno.EACCES, () -> program.mmapShared(readOnly, 8192, 0));
    assertFails(Errno.EBADF, () -> program.read(writeOnly, 0, 1));
    assertFails(Errno.EBADF, () -> program.write(readOnly, 0, "x"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"zero", "null", "full"})
  void knowsNoMapSync(String name) throws ErrnoException {
    int fd = open(name);

    assertFails(Errno.EOPNOTSUPP, () -> program.mmap(fd, 8192, Mman.PROT_READ,
        Mman.MAP_SHARED_VALIDATE | Mman.MAP_SYNC, 0));
  }

  private int open(String name) throws ErrnoException {
    return program.open("/dev/" + name, AccessMode.READ_WRITE);
  }
}
