// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.simple;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.memory.DriverPages;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The frames of both devices, without a process. */
class SimpleMemoryTest {
  private final PhysicalMemory memory = new PhysicalMemory(1 << 20);
  private final DriverPages pages = new DriverPages(memory, "simple");

  @Test
  void pageOffsetsStandForConsecutiveFrames() throws ErrnoException {
    SimpleMemory simple = new SimpleMemory(pages);

    assertThat(simple.frame(5)).isEqualTo(simple.frame(0) + 5);
    for (long offset = 0; offset < 16; offset++) {
      Page page = Objects.requireNonNull(simple.page(simple.frame(offset)));
      assertThat(page.frameNumber()).isEqualTo(simple.frame(offset));
    }
  }

  @Test
  void aFrameOfSomebodyElseIsNoPageOfOurs() throws ErrnoException {
    long other = pages.allocate().frameNumber();
    SimpleMemory simple = new SimpleMemory(pages);

    assertThat(simple.page(other)).isNull();
    assertThat(simple.page(simple.frame(-1))).isNull();
    assertThat(simple.page(simple.frame(16))).isNull();
    assertThat(simple.page(Long.MAX_VALUE)).isNull();
  }

  @Test
  void givesAllFramesBack() throws ErrnoException {
    SimpleMemory simple = new SimpleMemory(pages);
    assertThat(pages.allocated()).isEqualTo(16);

    simple.free();

    assertThat(pages.allocated()).isZero();
    memory.validate();
  }
}
