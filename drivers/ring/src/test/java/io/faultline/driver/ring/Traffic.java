// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.driver.ring.client.MappedRing;
import io.faultline.driver.ring.client.RingConsumer;
import io.faultline.driver.ring.client.RingLayout;
import io.faultline.driver.ring.client.RingProducer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Producers and one consumer at full speed, a thread each. A record is its number among its producer's,
 * a checksum, and bytes at random, 0 to 1000 of them; its kind is the producer's number.
 */
final class Traffic {
  private static final int HEAD = 16;
  private static final int LONGEST = 1000;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final MappedRing to;
  private final List<Thread> threads = new ArrayList<>();
  private final List<AtomicInteger> put = new ArrayList<>();
  private final AtomicInteger producing = new AtomicInteger();
  private final AtomicReference<@Nullable Throwable> problem = new AtomicReference<>();
  private final List<Integer> taken = new ArrayList<>();
  private int overTheEnd;
  private volatile boolean stopped;

  Traffic(MappedRing to) {
    this.to = to;
    threads.add(new Thread(() -> guard(this::consume), "consumer"));
  }

  /**
   * One more producer.
   *
   * @param records how many; 0 for as many as there are until {@link #stop}
   */
  void produce(MappedRing from, boolean several, int records) {
    int who = put.size();
    AtomicInteger count = new AtomicInteger();
    put.add(count);
    taken.add(0);
    producing.incrementAndGet();
    threads.add(new Thread(() -> guard(() -> {
      try {
        produce(from, several, records, who, count);
      } finally {
        producing.decrementAndGet();
      }
    }), "producer " + who));
  }

  void start() {
    threads.forEach(Thread::start);
  }

  void stop() {
    stopped = true;
  }

  void join(long millis) throws InterruptedException {
    for (Thread thread : threads) {
      thread.join(millis);
    }
  }

  private void guard(Runnable part) {
    try {
      part.run();
    } catch (Throwable thrown) {
      problem.compareAndSet(null, thrown);
      stopped = true;
    }
  }

  private void produce(MappedRing from, boolean several, int records, int who,
      AtomicInteger count) {
    RingProducer producer = several ? RingProducer.oneOfSeveral(from) : RingProducer.alone(from);
    Random random = new Random(who);
    byte[] bytes = new byte[HEAD + LONGEST];
    MemorySegment record = MemorySegment.ofArray(bytes);
    for (int i = 0; !stopped && (records == 0 || i < records); i++) {
      random.nextBytes(bytes);
      int length = HEAD + random.nextInt(LONGEST + 1);
      record.set(LONG, 0, i);
      record.set(LONG, 8, checksum(bytes, length));
      while (!producer.offer(record.asSlice(0, length), who)) {
        if (stopped) {
          return;
        }
        // Processors may be fewer than threads.
        Thread.yield();
      }
      count.incrementAndGet();
    }
  }

  private static long checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, HEAD, length - HEAD);
    crc.update(length);
    return crc.getValue();
  }

  private void consume() {
    RingConsumer consumer = new RingConsumer(to);
    long end = to.address() + RingLayout.DATA + to.size();
    byte[] bytes = new byte[HEAD + LONGEST];
    MemorySegment record = MemorySegment.ofArray(bytes);
    while (true) {
      boolean last = producing.get() == 0;
      if (!consumer.next()) {
        if (last) {
          return;
        }
        Thread.yield();
        continue;
      }
      int who = consumer.kind();
      if (consumer.address() < end && consumer.address() + consumer.length() > end) {
        overTheEnd++;
      }
      int length = consumer.poll(record);
      assertThat(record.get(LONG, 0)).as("of producer " + who)
          .isEqualTo(taken.get(who).longValue());
      assertThat(record.get(LONG, 8)).isEqualTo(checksum(bytes, length));
      taken.set(who, taken.get(who) + 1);
    }
  }

  /** How many records arrived. */
  int records() {
    return taken.stream().mapToInt(Integer::intValue).sum();
  }

  /** How many of them lay over the end of the ring's first half. */
  int overTheEnd() {
    return overTheEnd;
  }

  void assertAllArrived() {
    assertThat(problem.get()).isNull();
    assertThat(threads).noneMatch(Thread::isAlive);
    assertThat(taken).isEqualTo(put.stream().map(AtomicInteger::get).toList());
  }
}
