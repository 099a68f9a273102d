// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.Adoption;
import io.faultline.device.DeviceMemory;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Memory that the kernel keeps, whatever becomes of the driver. */
@FaultlineTest
class DeviceMemoryTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration NODE = DeviceRegistration.of("kept");

  /** Maps a region up front. */
  private static final class Driver implements MmapProvider, HandOver, VmOperations {
    private final List<Page> pages;

    Driver(DeviceMemory memory) throws ErrnoException {
      pages = memory.run("ram", 2);
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      request.remapPfnRange(
          request.start(), pages.getFirst().frameNumber(), request.length());
      request.setOperations(this);
    }

    @Override
    public void adopt(Adoption area) {
      area.setOperations(this);
    }
  }

  @Test
  void aRegionIsTheSameForEveryVersion(BootedKernel kernel) throws Exception {
    List<Page> first = kernel.memory("a").region("state", 3);
    first.get(1).segment().setAtIndex(java.lang.foreign.ValueLayout.JAVA_LONG, 0, 77);
    List<Page> again = kernel.memory("a").region("state", 3);
    assertThat(again).isEqualTo(first);
    assertThat(again.get(1).segment().getAtIndex(java.lang.foreign.ValueLayout.JAVA_LONG, 0))
        .isEqualTo(77);
    assertThat(kernel.memory("b").regions()).isEmpty();
  }

  @Test
  void aDriverPutsOnlyWhatItGot(BootedKernel kernel) throws Exception {
    Page page = kernel.memory("a").region("state", 1).getFirst();
    page.get();
    page.put();
    assertThatThrownBy(page::put).isInstanceOf(IllegalStateException.class);
    kernel.memory("a").free("state");
    assertThat(page.referenceCount()).isZero();
  }

  @Test
  void anotherSizeIsRefused(BootedKernel kernel) throws Exception {
    kernel.memory("a").region("state", 2);
    Refusals.assertFails(Errno.EINVAL, () -> kernel.memory("a").region("state", 3));
    Refusals.assertFails(Errno.EINVAL, () -> kernel.memory("a").run("state", 2));
  }

  @Test
  void bareFramesOfARegionStayMappedAcrossAnUpgrade(BootedKernel kernel) throws Exception {
    AutoCloseable first = kernel.devices().register(NODE, new Driver(kernel.memory("kept")));
    Program program = kernel.spawn();
    long address =
        program.mmapShared(program.open("/dev/kept", AccessMode.READ_WRITE), 4L * PAGE, 0);
    program.poke(address + PAGE, "kept");
    AutoCloseable unused = kernel.devices().replace(
        first, NODE, new Driver(kernel.memory("kept")), upgrade -> {
        });
    assertThat(program.peek(address + PAGE, 4)).isEqualTo("kept");
    kernel.validate();
  }

  @Test
  void contentsOutliveAGap(BootedKernel kernel) throws Exception {
    AutoCloseable first = kernel.devices().register(NODE, new Driver(kernel.memory("kept")));
    Program program = kernel.spawn();
    int fd = program.open("/dev/kept", AccessMode.READ_WRITE);
    program.poke(program.mmapShared(fd, PAGE, 0), "before");
    first.close();
    AutoCloseable unused = kernel.devices().register(NODE, new Driver(kernel.memory("kept")));
    assertThat(program.peek(program.mmapShared(fd, PAGE, 0), 6)).isEqualTo("before");
  }
}
