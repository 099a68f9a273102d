// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.device.DeviceRig.START;
import static io.faultline.core.device.DeviceRig.named;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.device.MmapRequestObject.Install;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MmapRequestObjectTest {
  private final DeviceRig rig = new DeviceRig();

  @AfterEach
  void close() {
    rig.close();
  }

  /** A driver's mmap that the test supplies. */
  private interface Mapping {
    void mmap(MmapRequest request) throws ErrnoException;
  }

  private void mmap(MmapRequestObject request, Mapping mapping) throws ErrnoException {
    Driver unused = rig.table.register(named("map"), new MmapProvider() {
      @Override
      public void mmap(OpenFile file, MmapRequest r) throws ErrnoException {
        mapping.mmap(r);
      }
    });
    rig.open("map").mmap(request);
  }

  private void assertRefused(Errno errno, MmapRequestObject request, Mapping mapping) {
    assertThatThrownBy(() -> mmap(request, mapping)).isInstanceOfSatisfying(
        ErrnoException.class, e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    assertThat(request.installs()).isEmpty();
  }

  private MmapRequestObject privateRequest(int pageCount) {
    return rig.request(
        pageCount, VmFlag.READ, VmFlag.WRITE, VmFlag.MAYREAD, VmFlag.MAYWRITE);
  }

  private static VmFlag[] pfnFlags() {
    return new VmFlag[] {VmFlag.IO, VmFlag.PFNMAP, VmFlag.DONTEXPAND, VmFlag.DONTDUMP};
  }

  @Test
  void flagsOffsetAndPrivateDataAreTheDriversToSet() throws Exception {
    MmapRequestObject request = rig.request(2);

    mmap(request, r -> {
      r.addFlags(VmFlag.RESERVED, VmFlag.DONTEXPAND);
      r.removeFlags(VmFlag.MAYWRITE);
      r.setPageOffset(99);
      r.setPrivateData("data");
    });

    VmFlags flags = new VmFlags(request.flagBits());
    assertThat(flags.has(VmFlag.RESERVED) && flags.has(VmFlag.DONTEXPAND)).isTrue();
    assertThat(flags.has(VmFlag.MAYWRITE)).isFalse();
    assertThat(request.pageOffset()).isEqualTo(99);
    assertThat(request.privateData()).isEqualTo("data");
  }

  @Test
  void sharedCannotBeTakenAway() {
    assertRefused(Errno.EIO, rig.request(1), r -> r.removeFlags(VmFlag.MAYSHARE));
  }

  @Test
  void aDriverThatSetsNoOperationsGetsSomeWithoutNopage() throws Exception {
    MmapRequestObject request = rig.request(1);

    mmap(request, r -> {
    });

    assertThat(request.operations()).isNotNull();
    assertThat(request.operations().hasNopage()).isFalse();
    assertThat(request.operations().owner()).isEqualTo("/dev/map");
  }

  @Test
  void anonymousAndSharedMemoryHaveNoOperations() throws Exception {
    MmapRequestObject request = privateRequest(1);

    mmap(request, r -> {
      r.setOperations(new VmOperations() {});
      r.setAnonymous();
    });

    assertThat(request.anonymous()).isTrue();
    assertThat(request.operations()).isNull();
  }

  @Test
  void sharedMemoryAsksWhetherThereIsAny() {
    MmapRequestObject request = new MmapRequestObject(
        7, START, START + 8192, 0, 0, rig.memory, bytes -> {
          throw new ErrnoException(Errno.ENOMEM, bytes + " bytes");
        });

    assertRefused(Errno.ENOMEM, request, MmapRequest::setSharedMemory);
    assertThat(request.sharedMemory()).isFalse();
  }

  @Test
  void remapPfnRangeSetsItsFlagsAndTakesNoReference() throws Exception {
    List<Page> pages = rig.pages.allocate(1);
    MmapRequestObject request = rig.request(4);

    mmap(request, r -> r.remapPfnRange(START + 4096, pages.getFirst().frameNumber(), 4097));

    assertThat(new VmFlags(request.flagBits()).toSet()).contains(pfnFlags());
    assertThat(request.installs()).containsExactly(
        new Install(START + 4096, pages.getFirst().frameNumber(), 2, false));
    assertThat(pages.getFirst().referenceCount()).isEqualTo(1);
  }

  @Test
  void remapPfnRangeOfAPrivateWritableMappingIsAllOrNothing() throws Exception {
    List<Page> pages = rig.pages.allocate(1);
    long frame = pages.getFirst().frameNumber();
    MmapRequestObject whole = privateRequest(2);
    mmap(whole, r -> r.remapPfnRange(START, frame, 8192));
    assertThat(whole.pageOffset()).isEqualTo(frame);

    MmapRequestObject part = privateRequest(2);
    rig.table.close();
    assertRefused(Errno.EINVAL, part, r -> r.remapPfnRange(START, frame, 4096));
  }

  @Test
  void remapPfnRangeStaysWithinTheArea() throws Exception {
    List<Page> pages = rig.pages.allocate(3);
    long frame = pages.getFirst().frameNumber();
    MmapRequestObject request = rig.request(2);

    mmap(request, r -> {
      assertInvalid(() -> r.remapPfnRange(START + 4096, frame, 8192));
      assertInvalid(() -> r.remapPfnRange(START - 4096, frame, 4096));
      assertInvalid(() -> r.remapPfnRange(START + 8192, frame, 4096));
      assertInvalid(() -> r.remapPfnRange(START + 1, frame, 4096));
      assertInvalid(() -> r.remapPfnRange(START, frame, 0));
      assertInvalid(() -> r.remapPfnRange(START, frame, -4096));
      assertInvalid(() -> r.remapPfnRange(START, frame, Long.MAX_VALUE));
    });

    assertThat(request.installs()).isEmpty();
    assertThat(new VmFlags(request.flagBits()).has(VmFlag.PFNMAP)).isFalse();
  }

  private interface Call {
    void run() throws ErrnoException;
  }

  private static void assertInvalid(Call call) {
    assertThatThrownBy(call::run).isInstanceOfSatisfying(
        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
  }

  @Test
  void remapPfnRangeTakesOnlyFramesOfDrivers() throws Exception {
    Page freed = rig.pages.allocate();
    freed.put();
    MmapRequestObject request = rig.request(2);

    mmap(request, r -> {
      assertInvalid(() -> r.remapPfnRange(START, rig.memory.zeroFrame(), 4096));
      assertInvalid(() -> r.remapPfnRange(START, freed.frameNumber(), 4096));
      assertInvalid(() -> r.remapPfnRange(START, -5, 8192));
      assertInvalid(() -> r.remapPfnRange(START, Long.MAX_VALUE, 8192));
      assertInvalid(() -> r.remapPfnRange(START, rig.memory.frames(), 4096));
    });

    assertThat(request.installs()).isEmpty();
  }

  @Test
  void nothingIsMappedTwice() throws Exception {
    Page page = rig.pages.allocate();
    MmapRequestObject request = rig.request(2);

    mmap(request, r -> {
      r.insertPage(START, page);
      assertThatThrownBy(() -> r.insertPage(START, page)).isInstanceOfSatisfying(
          ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
      assertInvalid(() -> r.remapPfnRange(START, page.frameNumber(), 4096));
    });

    assertThat(request.installs()).hasSize(1);
    request.discard();
  }

  @Test
  void insertPageTakesAReferenceThatDiscardDrops() throws Exception {
    Page page = rig.pages.allocate();
    MmapRequestObject request = rig.request(2);

    mmap(request, r -> r.insertPage(START, page));

    assertThat(page.referenceCount()).isEqualTo(2);
    assertThat(new VmFlags(request.flagBits()).has(VmFlag.MIXEDMAP)).isTrue();
    assertThat(request.installs()).containsExactly(
        new Install(START, page.frameNumber(), 1, true));
    request.discard();
    assertThat(page.referenceCount()).isEqualTo(1);
  }

  @Test
  void afterMmapTheRequestIsDead() throws Exception {
    AtomicReference<MmapRequest> kept = new AtomicReference<>();
    Page page = rig.pages.allocate();

    mmap(rig.request(1), kept::set);

    assertThatThrownBy(() -> kept.get().addFlags(VmFlag.IO))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> kept.get().insertPage(START, page))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void anotherThreadCannotUseTheRequest() throws Exception {
    AtomicReference<Throwable> thrown = new AtomicReference<>();

    mmap(rig.request(1), r -> {
      Thread other = Thread.ofPlatform().start(() -> {
        try {
          r.addFlags(VmFlag.IO);
        } catch (IllegalStateException e) {
          thrown.set(e);
        }
      });
      try {
        other.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });

    assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
  }
}
