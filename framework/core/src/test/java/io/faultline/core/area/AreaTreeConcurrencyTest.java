// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Readers without the lock beside a writer that splits and joins nodes all the time. */
class AreaTreeConcurrencyTest {
  private static final long PAGE = 4096;

  /** Each slot is 8 pages; even slots hold an area for ever, odd ones come, go and change. */
  private static final long SLOT = 8 * PAGE;

  private static final int SLOTS = 6_000;
  private static final int READERS = 2;
  private static final long MILLIS = 1_500;

  private final AreaTree tree = new AreaTree();
  private final Area[] permanent = new Area[SLOTS];
  /** Readers that have not yet had an answer under an unchanged stamp: the writer goes on for them. */
  private final CountDownLatch unanswered = new CountDownLatch(READERS);

  private record Tally(long validated, long disturbed) {}

  @Test
  @Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void answersUnderAnUnchangedStampAreRightAndOthersDoNoHarm() throws Exception {
    for (int slot = 0; slot < SLOTS; slot += 2) {
      permanent[slot] = new Area(1, slot * SLOT, (slot + 1) * SLOT, slot, 0, null);
      tree.insert(permanent[slot]);
    }
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(READERS + 1);
    try {
      List<Future<Tally>> readers = new ArrayList<>();
      for (int reader = 0; reader < READERS; reader++) {
        Random random = new Random(reader);
        Callable<Tally> reading = () -> {
          try {
            return read(random, done);
          } finally {
            unanswered.countDown();
          }
        };
        readers.add(threads.submit(reading));
      }
      Future<?> writer = threads.submit(() -> write(new Random(42)));
      writer.get();
      done.set(true);
      for (Future<Tally> reader : readers) {
        assertThat(reader.get().validated).isPositive();
      }
      tree.validate();
    } finally {
      done.set(true);
      threads.shutdown();
      assertThat(threads.awaitTermination(5, TimeUnit.MINUTES)).isTrue();
    }
  }

  /** Fills and empties the odd slots in waves, so that nodes are made, joined and dropped. */
  private void write(Random random) {
    Area[] passing = new Area[SLOTS];
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MILLIS);
    for (boolean filling = true; System.nanoTime() < until || unanswered.getCount() > 0;
        filling = !filling) {
      for (int i = 0; i < SLOTS; i++) {
        int slot = 1 + 2 * random.nextInt(SLOTS / 2);
        Area there = passing[slot];
        if (there == null) {
          if (filling) {
            passing[slot] = new Area(1, slot * SLOT, slot * SLOT + 4 * PAGE, slot, 0, null);
            tree.insert(passing[slot]);
          }
        } else if (filling) {
          tree.resize(there, slot * SLOT + PAGE, slot * SLOT + 5 * PAGE);
        } else {
          tree.remove(there);
          passing[slot] = null;
        }
        if (i % 16 == 0) {
          Thread.onSpinWait();
        }
      }
    }
  }

  private Tally read(Random random, AtomicBoolean done) {
    long validated = 0;
    long disturbed = 0;
    while (!done.get()) {
      int slot = random.nextInt(SLOTS);
      long address = slot * SLOT + random.nextInt((int) SLOT);
      long stamp = tree.stamp();
      Area at = tree.findAt(address);
      Area above = tree.find(address);
      long start = above == null ? 0 : above.start();
      long end = above == null ? 0 : above.end();
      if (tree.unchangedSince(stamp)) {
        if (validated++ == 0) {
          unanswered.countDown();
        }
        assertThat(at)
            .as("at %x", address)
            .isSameAs(above != null && start <= address ? above : null);
        checkAbove(slot, address, above, end);
      } else {
        disturbed++;
      }
    }
    return new Tally(validated, disturbed);
  }

  private void checkAbove(int slot, long address, @Nullable Area above, long end) {
    if (slot % 2 == 0) {
      assertThat(above).isSameAs(permanent[slot]);
    } else if (above != null && above.pageOffset() == slot) {
      assertThat(end).isGreaterThan(address);
    } else {
      assertThat(above).isSameAs(slot + 1 < SLOTS ? permanent[slot + 1] : null);
    }
  }
}
