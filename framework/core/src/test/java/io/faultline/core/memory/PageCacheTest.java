// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** The index of an object's pages. */
class PageCacheTest {
  private final PhysicalMemory memory = new PhysicalMemory(8 << 20);
  private final PageCache cache = new PageCache(memory);

  @Test
  void itHoldsOneReferenceOnEachPage() {
    long frame = memory.allocate(FrameUse.SHMEM);
    assertThat(cache.add(7, frame)).isEqualTo(frame);
    memory.put(frame);
    assertThat(memory.references(frame)).isEqualTo(1);
    assertThat(cache.get(7)).isEqualTo(frame);
    assertThat(cache.remove(7)).isTrue();
    assertThat(memory.isLive(frame)).isFalse();
    assertThat(cache.remove(7)).isFalse();
    assertThat(cache.get(7)).isEqualTo(PhysicalMemory.NONE);
  }

  @Test
  void theFirstPageOfAnIndexWins() {
    long first = memory.allocate(FrameUse.FILE);
    long second = memory.allocate(FrameUse.FILE);
    cache.add(0, first);
    assertThat(cache.add(0, second)).isEqualTo(first);
    assertThat(memory.references(second)).as("stays the caller's").isEqualTo(1);
    assertThat(cache.size()).isEqualTo(1);
  }

  @Test
  void anAcquiredPageOutlivesItsRemoval() {
    long frame = memory.allocate(FrameUse.FILE);
    cache.add(3, frame);
    memory.put(frame);
    assertThat(cache.acquire(3)).isEqualTo(frame);
    cache.clear();
    assertThat(memory.references(frame)).isEqualTo(1);
    assertThat(cache.acquire(3)).isEqualTo(PhysicalMemory.NONE);
  }

  @Test
  void aNegativeIndexIsRefused() {
    long frame = memory.allocate(FrameUse.FILE);
    assertThatIllegalArgumentException().isThrownBy(() -> cache.add(-1, frame))
        .withMessageContaining("index = -1");
    assertThat(cache.get(-1)).isEqualTo(PhysicalMemory.NONE);
  }

  @Test
  void aPageThatIsTruncatedWhileItIsSoughtIsNeverSomeoneElses() throws InterruptedException {
    AtomicBoolean stop = new AtomicBoolean();
    Thread truncating = Thread.ofPlatform().start(() -> {
      while (!stop.get()) {
        long frame = memory.allocate(FrameUse.FILE);
        memory.segment(frame).set(ValueLayout.JAVA_LONG, 0, 42);
        cache.add(1, frame);
        memory.put(frame);
        cache.remove(1);
        long other = memory.allocate(FrameUse.ANONYMOUS);
        memory.segment(other).set(ValueLayout.JAVA_LONG, 0, 13);
        memory.put(other);
      }
    });
    try {
      for (int found = 0, tries = 0; found < 20_000 && tries < 2_000_000; tries++) {
        long frame = cache.acquire(1);
        if (frame != PhysicalMemory.NONE) {
          found++;
          assertThat(memory.segment(frame).get(ValueLayout.JAVA_LONG, 0)).isEqualTo(42);
          memory.put(frame);
        }
      }
    } finally {
      stop.set(true);
      truncating.join();
    }
    memory.validate();
  }
}
