// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.device.DeviceRig.named;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.area.Area;
import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmOperations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OpenFileObjectTest {
  private final DeviceRig rig = new DeviceRig();
  private int released;

  @AfterEach
  void close() {
    rig.close();
  }

  private final class Plain implements MmapProvider {
    @Override
    public void release(OpenFile file) {
      released++;
    }

    @Override
    public int read(OpenFile file, long offset, MemorySegment target) {
      target.set(ValueLayout.JAVA_BYTE, 0, (byte) offset);
      return 1;
    }

    @Override
    public Placement placement() {
      return Placement.SHMEM;
    }
  }

  private static void assertErrno(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(
        ErrnoException.class, e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
  }

  @Test
  void theLastDescriptorReleasesTheFile() throws Exception {
    Driver unused = rig.table.register(named("plain"), new Plain());
    OpenFileObject file = rig.open("plain");
    file.retain();

    file.release();
    assertThat(released).isZero();
    assertThat(rig.info("plain").openFiles()).isEqualTo(1);
    file.release();

    assertThat(released).isEqualTo(1);
    assertThat(rig.info("plain").openFiles()).isZero();
  }

  @Test
  void anAreaKeepsTheFileOpen() throws Exception {
    Driver unused = rig.table.register(named("plain"), new Plain());
    OpenFileObject file = rig.open("plain");
    file.get();
    file.release();

    assertThat(released).isZero();
    assertThat(file.areas()).isEqualTo(1);
    assertThat(rig.info("plain").areas()).isEqualTo(1);
    file.put();

    assertThat(released).isEqualTo(1);
    assertThat(rig.info("plain").areas()).isZero();
  }

  @Test
  void aReleasedFileCannotBeTakenAgain() throws Exception {
    Driver unused = rig.table.register(named("plain"), new Plain());
    OpenFileObject file = rig.open("plain");
    file.release();

    assertThatThrownBy(file::get).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(file::release).isInstanceOf(IllegalStateException.class);
    assertThat(released).isEqualTo(1);
    assertThat(rig.info("plain").areas()).isZero();
  }

  @Test
  void anAreasReferenceCannotBeDroppedForADescriptors() throws Exception {
    Driver unused = rig.table.register(named("plain"), new Plain());
    OpenFileObject file = rig.open("plain");
    file.get();
    file.release();

    assertThatThrownBy(file::release).isInstanceOf(IllegalStateException.class);
    assertThat(file.areas()).isEqualTo(1);
    file.put();
  }

  @Test
  void readAndWriteNeedTheModeAndTheMethod() throws Exception {
    Driver unused = rig.table.register(named("plain"), new Plain());
    OpenFileObject both = rig.open("plain");
    OpenFileObject writeOnly = rig.table.open("/dev/plain", AccessMode.WRITE_ONLY, false);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(4);
      assertThat(both.read(42, buffer)).isEqualTo(1);
      assertThat(buffer.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 42);
      assertErrno(Errno.EBADF, () -> writeOnly.read(0, buffer));
      assertErrno(Errno.EINVAL, () -> writeOnly.write(0, buffer));
    }
    assertThat(both.canRead()).isTrue();
    assertThat(both.canWrite()).isFalse();
    assertThat(both.placement()).isEqualTo(Placement.SHMEM);
  }

  @Test
  void aFileWhoseDriverHasNoMmapIsEnodev() throws Exception {
    Driver unused = rig.table.register(named("plain"), new Plain());
    OpenFileObject file = rig.open("plain");

    assertThat(file.canMmap()).isFalse();
    assertErrno(Errno.ENODEV, () -> file.mmap(rig.request(1)));
  }

  @Test
  void theSameOperationsHaveTheSameGuardSoThatAreasCanMerge() throws Exception {
    VmOperations operations = new VmOperations() {};
    Driver unused = rig.table.register(named("plain"), DeviceRig.mapping(operations));
    OpenFileObject file = rig.open("plain");

    Area first = rig.map(file, 1);
    Area second = rig.map(file, 1);

    assertThat(first.operations()).isNotNull().isSameAs(second.operations());
  }

  @Test
  void privateDataIsTheDriversAndGoesWithTheFile() throws Exception {
    Driver unused = rig.table.register(named("plain"), new Plain());
    OpenFileObject file = rig.open("plain");
    file.setPrivateData("mine");

    assertThat(file.privateData()).isEqualTo("mine");
    file.release();
    assertThat(file.privateData()).isNull();
  }
}
