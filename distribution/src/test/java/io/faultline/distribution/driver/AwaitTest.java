// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Waiting by looking again and again. */
class AwaitTest {
  @AfterEach
  void leaveNoInterrupt() {
    boolean unused = Thread.interrupted();
  }

  @Test
  void whatTheFirstLookFindsIsGivenAtOnceEvenToAnInterruptedThread() throws Exception {
    Thread.currentThread().interrupt();
    assertThat(Await.found(() -> "here")).isEqualTo("here");
    assertThat(Thread.currentThread().isInterrupted()).isTrue();
  }

  @Test
  void itLooksUntilSomethingIsFound() throws Exception {
    Iterator<Boolean> looks = List.of(false, false, true).iterator();
    assertThat(Await.until(looks::next)).isTrue();
    assertThat(looks.hasNext()).isFalse();
  }

  @Test
  void whatNeverComesTrueIsGivenUpAfterTheTime() throws Exception {
    AtomicInteger looks = new AtomicInteger();
    long begin = System.nanoTime();
    assertThat(Await.until(() -> looks.incrementAndGet() < 0, 30)).isFalse();
    assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(30_000_000);
    assertThat(looks.get()).isGreaterThanOrEqualTo(2);
  }

  @Test
  void anInterruptEndsTheWait() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> Await.until(() -> false)).isInstanceOf(InterruptedException.class);
  }
}
