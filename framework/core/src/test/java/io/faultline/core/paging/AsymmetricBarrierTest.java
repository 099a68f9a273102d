// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * The barrier under the litmus test it is for: one side stores x and loads y with the compiler's order
 * alone, the other stores y, passes the heavy barrier and loads x. Never may both miss the other's
 * store.
 */
class AsymmetricBarrierTest {
  private static final VarHandle X;
  private static final VarHandle Y;

  static {
    try {
      X = MethodHandles.lookup().findVarHandle(AsymmetricBarrierTest.class, "x", int.class);
      Y = MethodHandles.lookup().findVarHandle(AsymmetricBarrierTest.class, "y", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private int x;
  private int y;

  @Test
  void membarrierNeverLetsBothSidesMiss() throws InterruptedException {
    AsymmetricBarrier barrier = AsymmetricBarrier.Membarrier.register();
    assumeTrue(barrier != null, "this host has no membarrier(2)");
    assertThat(AsymmetricBarrier.best()).isInstanceOf(AsymmetricBarrier.Membarrier.class);
    bothMiss(barrier, 5_000);
  }

  @Test
  void theHandshakeNeverLetsBothSidesMiss() throws InterruptedException {
    bothMiss(new AsymmetricBarrier.Handshake(), 200);
  }

  private void bothMiss(AsymmetricBarrier barrier, int rounds) throws InterruptedException {
    AtomicInteger round = new AtomicInteger();
    AtomicInteger answered = new AtomicInteger();
    int[] seenByLight = new int[1];
    Thread light = Thread.ofPlatform().start(() -> {
      for (int r = 1; r <= rounds; r++) {
        while (round.get() < r) {
          Thread.yield();
        }
        // Different distances, so that the two sides meet in every order.
        for (int i = r % 64; i > 0; i--) {
          Thread.onSpinWait();
        }
        X.setOpaque(this, r);
        seenByLight[0] = (int) Y.getOpaque(this);
        answered.set(r);
      }
    });
    int misses = 0;
    for (int r = 1; r <= rounds; r++) {
      round.set(r);
      Y.setOpaque(this, r);
      barrier.run();
      int seenByHeavy = (int) X.getOpaque(this);
      while (answered.get() < r) {
        Thread.yield();
      }
      if (seenByHeavy != r && seenByLight[0] != r) {
        misses++;
      }
    }
    light.join();
    assertThat(misses).isZero();
  }
}
