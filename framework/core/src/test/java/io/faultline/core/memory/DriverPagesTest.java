// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The pages that a driver holds, and what becomes of those that it should not use. */
class DriverPagesTest {
  private final PhysicalMemory memory = new PhysicalMemory(8 << 20);
  private final DriverPages pages = new DriverPages(memory, "scullp");

  @AfterEach
  void everyInvariantHolds() {
    memory.validate();
    memory.close();
  }

  @Test
  void aPageBelongsToItsDriver() throws ErrnoException {
    Page page = pages.allocate();
    assertThat(page.referenceCount()).isEqualTo(1);
    assertThat(pages.allocated()).isEqualTo(1);
    assertThat(memory.use(page.frameNumber())).isEqualTo(FrameUse.DRIVER);
    assertThat(memory.frameOf(page)).isEqualTo(page.frameNumber());
    page.segment().set(ValueLayout.JAVA_BYTE, 4095, (byte) 7);
    assertThat(memory.segment(page.frameNumber()).get(ValueLayout.JAVA_BYTE, 4095))
        .isEqualTo((byte) 7);
    page.put();
    assertThat(pages.allocated()).isZero();
    assertThat(memory.counts().driver()).isZero();
  }

  @Test
  void aFreedPageIsNoPageAnyMore() throws ErrnoException {
    Page page = pages.allocate();
    page.put();
    assertThat(memory.frameOf(page)).isEqualTo(PhysicalMemory.NONE);
    assertThat(memory.accept(page)).isEqualTo(PhysicalMemory.NONE);
    assertThat(page.referenceCount()).isZero();
    assertThatIllegalStateException().isThrownBy(page::get);
    assertThatIllegalStateException().isThrownBy(page::put);
    assertThatIllegalStateException().isThrownBy(page::segment);
  }

  @Test
  void anOldHandleDoesNotSpeakForTheFramesNextPage() throws ErrnoException {
    Page old = pages.allocate();
    old.put();
    Page next = pages.allocate();
    assertThat(next.frameNumber()).as("the frame is used again").isEqualTo(old.frameNumber());
    assertThat(memory.frameOf(old)).isEqualTo(PhysicalMemory.NONE);
    assertThat(memory.frameOf(next)).isEqualTo(next.frameNumber());
    assertThat(old).isNotEqualTo(next);
    assertThatIllegalStateException().isThrownBy(old::put);
    assertThat(next.referenceCount()).isEqualTo(1);
  }

  @Test
  void aPageOfAnotherKernelIsNoPageHere() throws ErrnoException {
    try (PhysicalMemory other = new PhysicalMemory(1 << 20)) {
      Page foreign = new DriverPages(other, "zero").allocate();
      assertThat(memory.frameOf(foreign)).isEqualTo(PhysicalMemory.NONE);
      assertThat(memory.accept(foreign)).isEqualTo(PhysicalMemory.NONE);
    }
  }

  @Test
  void theKernelTakesOverTheReferenceThatNopageTook() throws ErrnoException {
    Page page = pages.allocate();
    long frame = memory.accept(page.get());
    assertThat(page.referenceCount()).isEqualTo(2);
    page.put();
    assertThat(pages.allocated()).as("the driver holds none").isZero();
    assertThat(memory.isLive(frame)).as("the kernel holds one").isTrue();
    assertThatIllegalStateException().as("the kernel's is not the driver's to put")
        .isThrownBy(page::put);
    memory.put(frame);
    assertThat(memory.isLive(frame)).isFalse();
  }

  @Test
  void aDriverThatHoldsNothingCanGiveNothing() throws ErrnoException {
    Page page = pages.allocate();
    long frame = memory.accept(page);
    assertThat(frame).isEqualTo(page.frameNumber());
    assertThat(memory.accept(page)).as("it forgot to take a reference")
        .isEqualTo(PhysicalMemory.NONE);
    memory.put(frame);
  }

  @Test
  void aMappedPageCanBeTakenUpAgain() throws ErrnoException {
    Page page = pages.allocate();
    long frame = memory.accept(page);
    page.get();
    assertThat(pages.allocated()).isEqualTo(1);
    memory.put(frame);
    assertThat(memory.isLive(frame)).isTrue();
    page.put();
    assertThat(memory.isLive(frame)).isFalse();
  }

  @Test
  void whatADriverLeavesBehindIsTakenBack() throws ErrnoException {
    pages.allocate().get().get();
    pages.allocate(3).getFirst().put();
    assertThat(pages.reclaim()).isEqualTo(1 + 7);
    assertThat(memory.counts().driver()).isZero();
    assertThat(pages.allocated()).isZero();
  }

  @Test
  void whatProcessesMapStaysUntilTheyAreDone() throws ErrnoException {
    Page page = pages.allocate();
    long frame = memory.accept(page.get());
    assertThat(pages.reclaim()).isEqualTo(1);
    assertThat(memory.isLive(frame)).isTrue();
    memory.put(frame);
    assertThat(memory.isLive(frame)).isFalse();
  }

  @Test
  void anOwnerThatIsGoneGetsNoPages() throws ErrnoException {
    Page mapped = pages.allocate();
    long frame = memory.accept(mapped);
    pages.close();
    assertThatExceptionOfType(ErrnoException.class).isThrownBy(pages::allocate)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM))
        .withMessageContaining("scullp");
    mapped.get();
    assertThat(memory.references(frame)).as("nor references").isEqualTo(1);
    memory.put(frame);
  }

  @Test
  void usedUpMemoryIsEnomemAndABadOrderEinval() throws ErrnoException {
    assertThatExceptionOfType(ErrnoException.class).isThrownBy(() -> pages.allocate(11))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    assertThatExceptionOfType(ErrnoException.class).isThrownBy(() -> {
      while (true) {
        pages.allocate(5);
      }
    }).satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
    pages.close();
  }

  @Test
  void consecutivePagesAreOneSegment() throws ErrnoException {
    List<Page> run = pages.allocate(2);
    MemorySegment bytes = pages.segment(run);
    assertThat(bytes.byteSize()).isEqualTo(4 * 4096);
    bytes.set(ValueLayout.JAVA_BYTE, 3 * 4096, (byte) 9);
    assertThat(run.get(3).segment().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 9);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> pages.segment(List.of(run.get(0), run.get(2))));
    run.get(1).put();
    assertThatIllegalStateException().isThrownBy(() -> pages.segment(run));
    pages.close();
  }

  @Test
  void theKernelsOwnHandleOwnsNoReference() {
    long frame = memory.allocate(FrameUse.SHMEM);
    Page page = memory.page(frame);
    assertThat(page.get().referenceCount()).isEqualTo(2);
    page.put();
    memory.put(frame);
    assertThatIllegalStateException().isThrownBy(page::get);
    assertThatIllegalStateException().isThrownBy(() -> memory.page(frame));
  }
}
