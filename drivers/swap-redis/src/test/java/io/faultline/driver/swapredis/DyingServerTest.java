// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that is killed, hangs, comes back empty, comes back with what it had. */
@Timeout(1200)
class DyingServerTest {
  private static final Logger OURS = Logger.getLogger(PageStore.class.getName());
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  /** Where the server does not answer at all, so that it is waited for in vain. */
  private static final Duration IN_VAIN = Duration.ofSeconds(2);
  private static final int SLOTS = 4096;

  @TempDir Path folder;

  private RedisServer server;
  private SwapDevice device;

  @BeforeAll
  static void needsAServer() {
    RedisServer.require();
    // That it cannot clean up on servers that are dead.
    OURS.setLevel(Level.OFF);
  }

  @BeforeEach
  void start() throws IOException {
    server = RedisServer.start(folder);
    device = new SwapRedis(List.of(server.uri()), "dying", SLOTS, TIMEOUT, TIMEOUT);
    device.swapon();
  }

  @AfterEach
  void stop() {
    server.kill();
    device.swapoff();
  }

  private static MemorySegment[] pages(int count, long word) {
    MemorySegment[] pages = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      pages[i] = Arena.ofAuto().allocate(4096);
      for (int at = 0; at < 4096; at += 8) {
        pages[i].set(ValueLayout.JAVA_LONG, at, word * 1_000_003 + at);
      }
    }
    return pages;
  }

  private static long[] slots(int from, int count) {
    long[] slots = new long[count];
    for (int i = 0; i < count; i++) {
      slots[i] = from + i;
    }
    return slots;
  }

  private void write(int from, int count, long word) throws IOException {
    device.write(slots(from, count), pages(count, word));
  }

  private void assertHolds(int from, int count, long word) throws IOException {
    MemorySegment[] read = pages(count, ~word);
    device.read(slots(from, count), read);
    MemorySegment expected = pages(1, word)[0];
    for (MemorySegment page : read) {
      assertThat(page.mismatch(expected)).isEqualTo(-1);
    }
  }

  private void assertFailed(int from, int count) {
    assertThatThrownBy(() -> device.read(slots(from, count), pages(count, 0)))
        .isInstanceOf(IOException.class);
  }

  /** Two threads read, one writes; whoever gets an answer gets the right one. */
  @Test
  void killedUnderLoadItFailsCallsAndWhenItIsBackTheyWorkByThemselves() throws Exception {
    write(0, 1000, 1);
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger failures = new AtomicInteger();
    AtomicInteger successes = new AtomicInteger();
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      Future<?> writer = threads.submit(() -> {
        for (long word = 2; !over.get(); word++) {
          try {
            write(2000, 200, word);
            assertHolds(2000, 200, word);
            successes.incrementAndGet();
          } catch (IOException e) {
            failures.incrementAndGet();
          }
        }
      });
      List<Future<?>> readers = List.of(threads.submit(() -> reads(over)),
          threads.submit(() -> reads(over)));
      await(successes, 10);
      server.kill();
      await(failures, 3);
      server.start();
      int before = successes.get();
      await(successes, before + 10);
      over.set(true);
      writer.get();
      for (Future<?> reader : readers) {
        reader.get();
      }
    }
    assertFailed(0, 1);
    assertFailed(0, 1000);
    write(0, 1000, 9);
    assertHolds(0, 1000, 9);
  }

  private void reads(AtomicBoolean over) {
    while (!over.get()) {
      try {
        assertHolds(0, 100, 1);
      } catch (IOException e) {
        // No answer. A wrong one is an AssertionError.
      }
    }
  }

  private static void await(AtomicInteger count, int wanted) throws InterruptedException {
    for (int i = 0; count.get() < wanted; i++) {
      assertThat(i).as("waits for %d, is at %s", wanted, count).isLessThan(40_000);
      // Counted by threads at work, which do not wait for who looks.
      Thread.sleep(5);
    }
  }

  @Test
  void theFirstCallAfterItsReturnWorks() throws Exception {
    write(0, 100, 1);
    for (long round = 2; round < 5; round++) {
      server.kill();
      server.start();
      write(0, 100, round);
      assertHolds(0, 100, round);
    }
  }

  @Test
  void withoutAServerItCannotBeSwitchedOnAndLaterItCan() throws Exception {
    device.swapoff();
    server.kill();
    assertThatThrownBy(device::swapon).isInstanceOf(IOException.class)
        .hasMessageContaining("redis://127.0.0.1:" + server.port());
    server.start();
    device.swapon();
    write(0, 10, 3);
    assertHolds(0, 10, 3);
  }

  @Test
  void aServerThatHangsCostsTheTimeAgreedOnAndNoStalePageAppearsWhenItGoesOn() throws Exception {
    device.swapoff();
    device = new SwapRedis(List.of(server.uri()), "hanging", SLOTS, IN_VAIN, IN_VAIN);
    device.swapon();
    write(0, 100, 1);
    server.signal("STOP");
    try {
      long begin = System.nanoTime();
      assertFailed(0, 100);
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).as("for all pages, not for each")
          .isBetween(IN_VAIN, IN_VAIN.multipliedBy(50));
      // Lies in the socket of a server that will read it.
      assertThatThrownBy(() -> write(0, 10, 2)).isInstanceOf(IOException.class);
      assertFailed(0, 10);
    } finally {
      server.signal("CONT");
    }
    assertFailed(0, 10);
    write(0, 10, 3);
    // A write that the server was sent while it stood still must not come after this one.
    Thread.sleep(100);
    assertHolds(0, 10, 3);
    write(0, 10, 4);
    assertHolds(0, 10, 4);
  }

  @Test
  void aServerThatComesBackWithWhatItHadServesThatAndNothingOlder(@TempDir Path data)
      throws Exception {
    try (RedisServer lasting = RedisServer.start(data, "--appendonly", "yes", "--appendfsync",
        "always")) {
      SwapDevice other = device;
      device = new SwapRedis(List.of(lasting.uri()), "lasting", SLOTS, TIMEOUT, TIMEOUT);
      try {
        device.swapon();
        write(0, 100, 1);
        write(50, 50, 2);
        lasting.kill();
        lasting.start();
        assertHolds(0, 50, 1);
        assertHolds(50, 50, 2);
        device.free(slots(0, 50));
        assertFailed(0, 1);
      } finally {
        device.swapoff();
        assertThat(lasting.keys()).isEmpty();
        device = other;
      }
    }
  }

  @Test
  void switchingOffDoesNotNeedTheServer() {
    server.kill();
    device.swapoff();
    assertFailed(0, 1);
  }
}
