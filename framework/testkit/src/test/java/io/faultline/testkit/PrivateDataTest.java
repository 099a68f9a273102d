// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Mman;
import io.faultline.mm.VmOperations;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a driver that comes back finds in the private data of files and areas. */
@FaultlineTest
class PrivateDataTest {
  private static final DeviceRegistration NODE = DeviceRegistration.of("notes");

  private final BootedKernel kernel;
  private final Program program;

  PrivateDataTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  /** Writes something down in each file and area, and tells what it finds in those that it adopts. */
  private static final class Noting implements MmapProvider, HandOver {
    private final Supplier<Object> note;
    final List<@Nullable Object> found = new ArrayList<>();

    Noting(Supplier<Object> note) {
      this.note = note;
    }

    @Override
    public void open(OpenFile file) {
      file.setPrivateData(note.get());
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(new VmOperations() {});
      request.setPrivateData(note.get());
    }

    @Override
    public void adopt(OpenFile file) {
      found.add(file.privateData());
    }

    @Override
    public void adopt(Adoption area) {
      found.add(area.vma().privateData());
      area.setOperations(new VmOperations() {});
    }
  }

  /** One goes, another comes; what it finds. */
  private List<@Nullable Object> afterAGap(Supplier<Object> note, DeviceRegistration next)
      throws Exception {
    AutoCloseable first = kernel.devices().register(NODE, new Noting(note));
    int fd = program.open("/dev/notes", AccessMode.READ_WRITE);
    long unused = program.mmapShared(fd, Mman.PAGE_SIZE, 0);
    first.close();
    Noting second = new Noting(note);
    AutoCloseable registered = kernel.devices().register(next, second);
    assertThat(registered).isNotNull();
    kernel.validate();
    return second.found;
  }

  @Test
  void valuesOutliveAGap() throws Exception {
    assertThat(afterAGap(() -> 5, NODE)).containsExactly(5, 5);
  }

  @Test
  void arraysOfPrimitivesOutliveAGap() throws Exception {
    assertThat(afterAGap(() -> new int[] {1, 2}, NODE)).hasSize(2)
        .allSatisfy(found -> assertThat(found).isEqualTo(new int[] {1, 2}));
  }

  @Test
  void objectsOfTheDriversOwnDoNot() throws Exception {
    assertThat(afterAGap(Object::new, NODE)).containsExactly(null, null);
  }

  @Test
  void anotherBundlesDriverFindsNothing() throws Exception {
    DeviceRegistration stranger =
        new DeviceRegistration("notes", 0, 0, 1, NODE.timeoutMillis(), "stranger", "1");
    assertThat(afterAGap(() -> 5, stranger)).containsExactly(null, null);
  }
}
