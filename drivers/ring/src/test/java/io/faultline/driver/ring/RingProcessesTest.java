// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.driver.ring.client.MappedRing;
import io.faultline.driver.ring.client.RingConsumer;
import io.faultline.driver.ring.client.RingLayout;
import io.faultline.driver.ring.client.RingProducer;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Records between processes: in order, whole, and no more of them than there is room for. */
@FaultlineTest
@Timeout(600)
class RingProcessesTest {
  private static final int ENOUGH = 1000;
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration FIRST =
      DeviceRegistration.of("ring").withCount(Ring.DEVICES).withVersion("1.0.0");

  private final BootedKernel kernel;
  private AutoCloseable registered;

  RingProcessesTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    registered = kernel.devices().register(FIRST, new Ring(kernel.memory("ring"), 1));
  }

  private MappedRing map(Program program) throws ErrnoException {
    int fd = program.open("/dev/ring0", AccessMode.READ_WRITE);
    return MappedRing.map(program.memory(), kernel.vmas(), program.task(), fd);
  }

  private static MemorySegment text(String text) {
    return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String take(RingConsumer consumer) {
    byte[] buffer = new byte[64];
    int length = consumer.poll(MemorySegment.ofArray(buffer));
    return length < 0 ? "empty" : new String(buffer, 0, length, StandardCharsets.US_ASCII);
  }

  private static Traffic run(Traffic traffic) throws InterruptedException {
    traffic.start();
    traffic.join(TimeUnit.MINUTES.toMillis(5));
    return traffic;
  }

  @Test
  void whatIsPutIsTakenInOrder() throws Exception {
    RingProducer producer = RingProducer.alone(map(kernel.spawn()));
    RingConsumer consumer = new RingConsumer(map(kernel.spawn()));
    assertThat(take(consumer)).isEqualTo("empty");
    assertThat(producer.offer(text("one"), 1)).isTrue();
    assertThat(producer.offer(text(""), 2)).isTrue();
    assertThat(producer.offer(text("three"), 3)).isTrue();
    assertThat(take(consumer)).isEqualTo("one");
    assertThat(consumer.next()).isTrue();
    assertThat(consumer.kind()).isEqualTo(2);
    assertThat(consumer.length()).isZero();
    consumer.release();
    assertThat(take(consumer)).isEqualTo("three");
    assertThat(take(consumer)).isEqualTo("empty");
  }

  @Test
  void aRecordIsSeenWhenItIsCommitted() throws Exception {
    MappedRing ring = map(kernel.spawn());
    RingProducer producer = RingProducer.alone(ring);
    RingConsumer consumer = new RingConsumer(map(kernel.spawn()));
    long at = producer.reserve(8, 0);
    ring.memory().putLong(at, 77);
    assertThat(consumer.next()).isFalse();
    assertThatThrownBy(() -> producer.reserve(8, 0)).isInstanceOf(IllegalStateException.class);
    producer.commit();
    assertThat(consumer.next()).isTrue();
    assertThatThrownBy(producer::commit).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aFullRingTakesNothingUntilARecordIsReleased() throws Exception {
    MappedRing ring = map(kernel.spawn());
    RingProducer producer = RingProducer.alone(ring);
    RingConsumer consumer = new RingConsumer(ring);
    int records = 2 * PAGE / 16;
    for (int i = 0; i < records; i++) {
      assertThat(producer.offer(text("12345678"), i)).isTrue();
    }
    assertThat(producer.offer(text(""), 0)).as("not one byte is left").isFalse();
    assertThat(take(consumer)).isEqualTo("12345678");
    assertThat(producer.offer(text("a"), 0)).isTrue();
    assertThat(producer.offer(text(""), 0)).isFalse();
    for (int i = 1; i < records; i++) {
      assertThat(take(consumer)).isEqualTo("12345678");
    }
    assertThat(take(consumer)).isEqualTo("a");
    assertThat(take(consumer)).isEqualTo("empty");
  }

  @Test
  void theLongestRecordFillsTheRingWhereverItBegins() throws Exception {
    MappedRing ring = map(kernel.spawn());
    RingProducer producer = RingProducer.alone(ring);
    RingConsumer consumer = new RingConsumer(ring);
    int longest = 2 * PAGE - RingLayout.RECORD_HEADER;
    assertThatThrownBy(() -> producer.reserve(longest + 1, 0))
        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("give 0 to 8184");
    for (int i = 0; i < 200; i++) {
      assertThat(producer.offer(text("x".repeat(40)), 0)).isTrue();
      assertThat(take(consumer)).hasSize(40);
      byte[] bytes = new byte[longest];
      bytes[0] = (byte) i;
      bytes[longest - 1] = (byte) (i + 1);
      assertThat(producer.offer(MemorySegment.ofArray(bytes), i)).isTrue();
      byte[] taken = new byte[longest];
      assertThat(consumer.poll(MemorySegment.ofArray(taken))).isEqualTo(longest);
      assertThat(taken).isEqualTo(bytes);
    }
  }

  @Test
  void twoProcessesPassRecordsOfAllLengths() throws Exception {
    Traffic traffic = new Traffic(map(kernel.spawn()));
    traffic.produce(map(kernel.spawn()), false, 100_000);
    run(traffic);
    traffic.assertAllArrived();
    assertThat(traffic.overTheEnd()).as("records over the ring's end").isPositive();
  }

  @Test
  void twoProducersShareARing() throws Exception {
    Traffic traffic = new Traffic(map(kernel.spawn()));
    traffic.produce(map(kernel.spawn()), true, 40_000);
    traffic.produce(map(kernel.spawn()), true, 40_000);
    run(traffic).assertAllArrived();
  }

  @Test
  void aForkedChildConsumes() throws Exception {
    Program parent = kernel.spawn();
    MappedRing ring = map(parent);
    RingProducer producer = RingProducer.alone(ring);
    assertThat(producer.offer(text("before the fork"), 0)).isTrue();
    Program child = parent.fork();
    RingConsumer consumer = new RingConsumer(ring.on(child.memory()));
    assertThat(take(consumer)).isEqualTo("before the fork");

    Traffic traffic = new Traffic(ring.on(child.memory()));
    traffic.produce(ring, false, 30_000);
    run(traffic).assertAllArrived();
  }

  @Test
  void anotherProcessGoesOnWhereOneEnded() throws Exception {
    Program first = kernel.spawn();
    assertThat(RingProducer.alone(map(first)).offer(text("left behind"), 0)).isTrue();
    first.exit();
    assertThat(RingProducer.alone(map(kernel.spawn())).offer(text("next"), 0)).isTrue();
    RingConsumer consumer = new RingConsumer(map(kernel.spawn()));
    assertThat(take(consumer)).isEqualTo("left behind");
    assertThat(take(consumer)).isEqualTo("next");
  }

  @Test
  void upgradesAreNotSeen() throws Exception {
    Traffic traffic = new Traffic(map(kernel.spawn()));
    traffic.produce(map(kernel.spawn()), false, 0);
    traffic.start();
    long begin = System.nanoTime();
    // On a busy machine it takes longer until enough has gone through.
    for (int i = 2; i < 30 || traffic.records() <= ENOUGH
        && System.nanoTime() - begin < TimeUnit.MINUTES.toNanos(5); i++) {
      AutoCloseable before = registered;
      registered = kernel.devices().replace(
          before, FIRST.withVersion(i + ".0.0"), new Ring(kernel.memory("ring"), 1), done -> {
          });
      // Records go through each version before the next one comes.
      Thread.sleep(5);
    }
    traffic.stop();
    traffic.join(TimeUnit.MINUTES.toMillis(5));
    traffic.assertAllArrived();
    assertThat(traffic.records()).isGreaterThan(ENOUGH);
    kernel.validate();
  }

  @Test
  void aGapIsWaitedOut() throws Exception {
    kernel.gapMillis(1_800_000);
    Traffic traffic = new Traffic(map(kernel.spawn()));
    traffic.produce(map(kernel.spawn()), false, 0);
    traffic.start();
    for (int i = 0; i < 5; i++) {
      // Traffic runs into the gap, and then waits in it.
      Thread.sleep(10);
      registered.close();
      Thread.sleep(10);
      registered = kernel.devices().register(FIRST, new Ring(kernel.memory("ring"), 1));
    }
    traffic.stop();
    traffic.join(TimeUnit.MINUTES.toMillis(5));
    traffic.assertAllArrived();
    kernel.validate();
  }

  @Test
  void whatIsNoRecordIsToldApart() throws Exception {
    MappedRing ring = map(kernel.spawn());
    RingConsumer consumer = new RingConsumer(ring);
    ring.memory().putLong(ring.address() + RingLayout.DATA, 1 << 20);
    ring.memory().putLong(ring.address() + RingLayout.HEAD, 16);
    assertThatThrownBy(consumer::next).isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("a record of 1048576 bytes, where 16 are filled");
    ring.memory().putLong(ring.address() + RingLayout.MAGIC, 0);
    assertThatThrownBy(() -> MappedRing.at(ring.memory(), ring.address()))
        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("no ring");
  }

  @Test
  void aProducerThatLiesAboutWhatIsFilledIsFoundOut() throws Exception {
    MappedRing ring = map(kernel.spawn());
    RingConsumer consumer = new RingConsumer(map(kernel.spawn()));
    ring.memory().putInt(ring.address() + RingLayout.DATA, 1 << 20);
    ring.memory().putLong(ring.address() + RingLayout.HEAD, 1L << 30);
    assertThatThrownBy(consumer::next)
        .isInstanceOf(IllegalStateException.class).hasMessageContaining("filled");
  }

  /** The control page can be written by all who have the ring open. */
  @Test
  void aRingThatGrowsInItsControlPageWhileItIsMappedStaysAsLongAsItWasMapped() throws Exception {
    MappedRing first = map(kernel.spawn());
    Program victim = kernel.spawn();
    int fd = victim.open("/dev/ring0", AccessMode.READ_WRITE);
    VmaService lying = (VmaService) Proxy.newProxyInstance(
        VmaService.class.getClassLoader(), new Class<?>[] {VmaService.class},
        (proxy, method, arguments) -> {
          if (method.getName().equals("munmap")) {
            first.memory().putLong(first.address() + RingLayout.DATA_SIZE, 1L << 30);
          }
          return method.invoke(kernel.vmas(), arguments);
        });
    MappedRing ring = MappedRing.map(victim.memory(), lying, victim.task(), fd);
    assertThat(ring.size()).isEqualTo(first.size());
  }
}
