// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.driver.ring.client.MappedRing;
import io.faultline.driver.ring.client.RingConsumer;
import io.faultline.driver.ring.client.RingProducer;
import io.faultline.mm.ErrnoException;
import java.lang.foreign.MemorySegment;

/**
 * Two processes that share a ring: one fills it with numbered records, the other takes them out, in
 * their order and byte by byte; between rounds every page of both faults again.
 */
final class RingWork implements Work {
  /** A control page, the data and the data again, where the driver is not configured. */
  private static final int PAGES = 1 + 2 * 16;
  private static final int LONGEST = 2048;

  private final Meter meter;
  private final Machine.Process from;
  private final Machine.Process to;
  private final long fromAddress;
  private final long toAddress;
  private final RingProducer producer;
  private final RingConsumer consumer;
  private final MemorySegment sent = MemorySegment.ofArray(new byte[LONGEST]);
  private final MemorySegment received = MemorySegment.ofArray(new byte[LONGEST]);
  private int produced;
  private int consumed;

  RingWork(Machine machine, Meter meter, String device) throws ErrnoException {
    this.meter = meter;
    from = machine.process(device);
    to = machine.process(device);
    fromAddress = from.map(0, PAGES);
    toAddress = to.map(0, PAGES);
    producer = RingProducer.alone(MappedRing.at(from.cpu, fromAddress));
    consumer = new RingConsumer(MappedRing.at(to.cpu, toAddress));
  }

  /** The length of a record, and what is in it, follow from its number. */
  private MemorySegment record(int number) {
    MemorySegment payload = sent.asSlice(0, 8 + (long) (number * 2654435761L >>> 7) % 255 * 8);
    Pattern.fill(payload, number);
    return payload;
  }

  @Override
  public void round(long number) throws Exception {
    boolean[] room = {true};
    while (room[0]) {
      MemorySegment payload = record(produced);
      meter.timed(() -> room[0] = producer.offer(payload, produced));
      produced += room[0] ? 1 : 0;
    }
    meter.timed(() -> from.drop(fromAddress, PAGES));
    int[] length = {0};
    while (length[0] >= 0) {
      int[] kind = {0};
      meter.timed(() -> {
        boolean there = consumer.next();
        kind[0] = there ? consumer.kind() : 0;
        length[0] = there ? consumer.poll(received) : -1;
      });
      if (length[0] >= 0) {
        MemorySegment expected = record(consumed);
        meter.compare(
            kind[0] == consumed && length[0] == expected.byteSize()
                && expected.mismatch(received.asSlice(0, length[0])) < 0);
        consumed++;
      }
    }
    meter.compare(consumed == produced);
    meter.timed(() -> to.drop(toAddress, PAGES));
    meter.faults.addAndGet(PAGES);
    // The control page, by read(2).
    meter.timed(() -> meter.compare(to.read(0, received) > 0));
  }

  @Override
  public void close() {
    from.end();
    to.end();
  }
}
