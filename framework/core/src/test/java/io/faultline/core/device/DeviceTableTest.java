// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.device.DeviceRig.named;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceTableTest {
  private static final MmapProvider NOTHING = new MmapProvider() {};

  private final DeviceRig rig = new DeviceRig();

  @AfterEach
  void close() {
    rig.close();
  }

  private static DeviceRegistration registration(String name, int major, int minor, int count) {
    return new DeviceRegistration(name, major, minor, count, 1000, "test." + name, "1.0.0");
  }

  private static void assertErrno(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(
        ErrnoException.class, e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
  }

  @Test
  void oneNodeHasNoDigitAndSeveralHave() {
    Driver one = rig.table.register(registration("one", 0, 0, 1), NOTHING);
    Driver four = rig.table.register(registration("four", 0, 0, 4), NOTHING);

    assertThat(one.paths()).containsExactly("/dev/one");
    assertThat(four.paths()).containsExactly("/dev/four0", "/dev/four1", "/dev/four2",
        "/dev/four3");
    assertThat(rig.table.list()).extracting(DeviceInfo::path)
        .containsExactly("/dev/four0", "/dev/four1", "/dev/four2", "/dev/four3", "/dev/one");
  }

  @Test
  void minorsFollowEachOtherAndTheIndexCountsFromZero() throws Exception {
    Driver unused = rig.table.register(registration("tty", 5, 64, 2), NOTHING);

    assertThat(rig.info("tty1").number()).isEqualTo(new DeviceNumber(5, 65));
    assertThat(rig.open("tty1").index()).isEqualTo(1);
  }

  @Test
  void majorsAreGivenDownwardsFrom254() {
    Driver first = rig.table.register(registration("a", 0, 0, 1), NOTHING);
    Driver second = rig.table.register(registration("b", 0, 0, 1), NOTHING);

    assertThat(first.registration().major()).isEqualTo(254);
    assertThat(second.registration().major()).isEqualTo(253);
  }

  @Test
  void whenTheseAreUsedUpMajorsAreGivenDownwardsFrom511() {
    for (int i = 0; i < 21; i++) {
      Driver unused = rig.table.register(registration("a" + i, 0, 0, 1), NOTHING);
    }

    assertThat(rig.table.register(registration("next", 0, 0, 1), NOTHING).registration().major())
        .isEqualTo(511);
  }

  @Test
  void aNameThatIsTakenIsRefusedAndNamesTheOwner() {
    Driver unused = rig.table.register(registration("scull", 0, 0, 4), NOTHING);

    assertThatThrownBy(() -> rig.table.register(registration("scull2", 0, 0, 1), NOTHING))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/dev/scull2").hasMessageContaining("test.scull 1.0.0");
    assertThat(rig.table.list()).hasSize(4);
  }

  @Test
  void aNumberThatIsTakenIsRefusedAndNamesTheOwner() {
    Driver unused = rig.table.register(registration("scull", 60, 0, 4), NOTHING);

    assertThatThrownBy(() -> rig.table.register(registration("other", 60, 3, 1), NOTHING))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("60, 3").hasMessageContaining("/dev/scull3");
    assertThat(rig.table.register(registration("behind", 60, 4, 1), NOTHING).isPresent()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/dev/x", "a/b", "..", " x", "x y", "é"})
  void aMalformedNameIsRefused(String name) {
    assertThatThrownBy(() -> rig.table.register(registration(name, 0, 0, 1), NOTHING))
        .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("name:");
  }

  @Test
  void countsLimitsAndNumbersOutOfRangeAreRefused() {
    assertThatThrownBy(() -> rig.table.register(registration("x", 0, 0, 0), NOTHING))
        .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("count:");
    assertThatThrownBy(() -> rig.table.register(registration("x", 4096, 0, 1), NOTHING))
        .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("major, minor:");
    assertThatThrownBy(() -> rig.table.register(registration("x", 0, 0xfffff, 2), NOTHING))
        .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("major, minor:");
    assertThatThrownBy(
        () -> rig.table.register(named("x").withTimeoutMillis(0), NOTHING))
        .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("timeoutMillis:");
  }

  @Test
  void afterUnregisteringNameAndNumberAreFree() {
    rig.table.register(registration("x", 60, 0, 2), NOTHING).close();

    assertThat(rig.table.list()).isEmpty();
    assertThat(rig.table.register(registration("x", 60, 0, 2), NOTHING).paths()).hasSize(2);
  }

  @Test
  void anUnknownPathIsEnoent() {
    assertErrno(Errno.ENOENT, () -> rig.open("nothing"));
    assertErrno(
        Errno.ENOENT, () -> rig.table.open("zero", AccessMode.READ_ONLY, false));
  }

  @Test
  void theDriverMayRefuseToOpen() {
    Driver unused = rig.table.register(named("excl"), new MmapProvider() {
      @Override
      public void open(OpenFile file) throws ErrnoException {
        throw new ErrnoException(Errno.EBUSY, "one at a time");
      }
    });

    assertErrno(Errno.EBUSY, () -> rig.open("excl"));
    assertThat(rig.info("excl").errors()).isZero();
    assertThat(rig.info("excl").openFiles()).isZero();
  }

  @Test
  void openingByPathOnlyDoesNotCallTheDriver() throws Exception {
    Driver unused = rig.table.register(named("excl"), new MmapProvider() {
      @Override
      public void open(OpenFile file) throws ErrnoException {
        throw new ErrnoException(Errno.EBUSY, "one at a time");
      }
    });

    OpenFileObject file = rig.table.open("/dev/excl", AccessMode.PATH, false);

    file.release();
    assertThat(rig.info("excl").openFiles()).isZero();
  }

  @Test
  void aDeviceInodeIsServedByTheDriverOfItsNumber() throws Exception {
    Driver driver = rig.table.register(registration("mem", 1, 3, 3), NOTHING);
    Inode elsewhere = Inode.builder(FileKind.CHARACTER_DEVICE, "/tmp/mynode")
        .represents(new DeviceNumber(1, 5)).build();

    OpenFileObject file = rig.table.open(elsewhere, AccessMode.READ_ONLY, false);

    assertThat(file.driver()).isSameAs(driver);
    assertThat(file.index()).isEqualTo(2);
    assertThat(file.inode()).isSameAs(elsewhere);
    assertThat(file.owner()).isEqualTo("/dev/mem2");
  }

  @Test
  void aDeviceInodeWithoutADriverIsEnxio() {
    Inode orphan = Inode.builder(FileKind.CHARACTER_DEVICE, "/tmp/mynode")
        .represents(new DeviceNumber(9, 9)).build();

    assertErrno(Errno.ENXIO, () -> rig.table.open(orphan, AccessMode.READ_ONLY, false));
  }

  @Test
  void aFileIsServedByItsOwnProvider() throws Exception {
    MmapProvider provider = new MmapProvider() {
      @Override
      public void mmap(OpenFile file, MmapRequest request) {}
    };
    Inode inode = Inode.builder(FileKind.REGULAR, "/etc/passwd").fileSystem("ext4", false)
        .provider(provider).build();

    OpenFileObject first = rig.table.open(inode, AccessMode.READ_ONLY, false);
    OpenFileObject second = rig.table.open(inode, AccessMode.READ_ONLY, false);

    assertThat(first.canMmap()).isTrue();
    assertThat(first.owner()).isEqualTo("ext4");
    assertThat(first.driver()).isSameAs(second.driver());
    assertThat(rig.table.list()).as("files are no devices").isEmpty();
  }

  @Test
  void aFileWithoutAProviderCanBeOpenedAndNothingElse() throws Exception {
    OpenFileObject file = rig.table.open(
        Inode.builder(FileKind.FIFO, "pipe:[17]").build(), AccessMode.READ_ONLY, false);

    assertThat(file.canMmap()).isFalse();
    assertErrno(Errno.ENODEV, () -> file.mmap(rig.request(1)));
  }
}
