// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.SwapDevice;
import io.faultline.testkit.SwapDeviceContract;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** With a server that behaves. */
class SwapRedisTest extends SwapDeviceContract {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final long SLOTS = 10_000;

  @TempDir static Path folder;

  private static RedisServer server;

  @BeforeAll
  static void start() throws IOException {
    RedisServer.require();
    server = RedisServer.start(folder);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  protected SwapDevice device() {
    return device("faultline");
  }

  private static SwapDevice device(String prefix) {
    return new SwapRedis(List.of(server.uri()), prefix, SLOTS, TIMEOUT, TIMEOUT);
  }

  @Override
  protected List<String> leftovers() {
    return server.keys();
  }

  @Test
  void thousandsOfPagesGoInOneCall() throws IOException {
    underTest().swapon();
    long[] slots = LongStream.range(500, 8500).toArray();
    long[] numbers = LongStream.range(0, 8000).toArray();
    write(slots, numbers);
    assertHolds(slots, numbers);
    underTest().free(slots);
    write(new long[] {1}, 7);
    assertHolds(new long[] {1}, 7);
  }

  @Test
  void kernelsShareAServerAndAPrefix() throws IOException {
    SwapDevice other = device();
    underTest().swapon();
    other.swapon();
    write(new long[] {1}, 5);
    assertThatThrownBy(() -> other.read(new long[] {1}, new java.lang.foreign.MemorySegment[] {
      java.lang.foreign.Arena.ofAuto().allocate(4096)})).hasMessageContaining("holds nothing");
    other.swapoff();
    assertHolds(new long[] {1}, 5);
  }

  @Test
  void freedPagesGoFromTheServerWithoutAnotherWrite() throws Exception {
    underTest().swapon();
    long[] slots = LongStream.range(0, 100).toArray();
    write(slots, slots);
    assertThat(server.keys()).hasSize(2);
    underTest().free(slots);
    for (int i = 0; i < 1200 && server.keys().size() > 1; i++) {
      // The driver deletes on its own thread, with no answer to the one that frees.
      Thread.sleep(50);
    }
    assertThat(server.keys()).containsExactly("faultline:kernels");
  }

  @Test
  void writingOverAndOverLeavesOneFieldForEachPage() throws IOException {
    underTest().swapon();
    long[] slots = LongStream.range(0, 50).toArray();
    for (int i = 0; i < 20; i++) {
      write(slots, slots);
    }
    write(new long[] {60}, 1);
    try (Jedis jedis = server.jedis()) {
      String key =
          server.keys().stream().filter(k -> !k.equals("faultline:kernels")).findAny().get();
      assertThat(jedis.hlen(key)).isEqualTo(51);
    }
  }

  @Test
  void whatADeadKernelOfThisMachineLeftIsRemoved() throws IOException {
    Owner self = Owner.self(3);
    long nobody = LongStream.rangeClosed(2, 1 << 22).map(i -> (1 << 22) - i)
        .filter(pid -> ProcessHandle.of(pid).isEmpty()).findFirst().getAsLong();
    try (Jedis jedis = server.jedis()) {
      for (String epoch : List.of("dead", "reborn", "alive", "elsewhere", "unknown")) {
        jedis.hset("faultline:" + epoch + ":2", "field", "page");
      }
      jedis.hset("faultline:kernels", "dead", new Owner(self.machine(), nobody, 1, 3).toString());
      jedis.hset("faultline:kernels", "reborn",
          new Owner(self.machine(), self.pid(), self.start() - 5, 3).toString());
      jedis.hset("faultline:kernels", "alive", self.toString());
      jedis.hset("faultline:kernels", "elsewhere",
          new Owner("another", nobody, 1, 3).toString());
      jedis.hset("faultline:kernels", "unknown", "?");
      underTest().swapon();
      underTest().swapoff();
      assertThat(server.keys()).containsExactlyInAnyOrder("faultline:kernels",
          "faultline:alive:2", "faultline:elsewhere:2", "faultline:unknown:2");
      assertThat(jedis.hkeys("faultline:kernels")).containsExactlyInAnyOrder("alive", "elsewhere",
          "unknown");
      jedis.flushAll();
    }
  }

  @Test
  void aPageThatWasChangedOnTheServerIsNotServed() throws IOException {
    underTest().swapon();
    write(new long[] {1, 2}, 5, 6);
    byte[] key = server.keys().stream().filter(k -> !k.equals("faultline:kernels")).findAny().get()
        .getBytes();
    try (Jedis jedis = server.jedis()) {
      jedis.hgetAll(key).forEach((field, page) -> {
        if (field[4] == 1) {
          page[page.length - 1]++;
          jedis.hset(key, field, page);
        }
      });
      assertThatThrownBy(() -> read(1, 2)).hasMessageContaining("slot 1");
      assertHolds(new long[] {2}, 6);
      jedis.hgetAll(key).forEach((field, page) -> jedis.hset(key, field, new byte[17]));
      assertThatThrownBy(() -> read(2)).hasMessageContaining("17 bytes");
      jedis.flushAll();
      assertThatThrownBy(() -> read(2)).isInstanceOf(IOException.class)
          .hasMessageContaining("is gone");
    }
  }

  @Test
  void aServerWithoutMemoryFailsTheWriteAndKeepsWhatItHas() throws IOException {
    underTest().swapon();
    write(new long[] {1, 2}, 4, 20);
    try (Jedis jedis = server.jedis()) {
      jedis.configSet("maxmemory", "1");
      assertThatThrownBy(() -> write(new long[] {3}, 36)).isInstanceOf(IOException.class)
          .hasMessageContaining("maxmemory");
      assertHolds(new long[] {1, 2}, 4, 20);
      assertRefused(() -> read(3));
      jedis.configSet("maxmemory", "0");
    }
    write(new long[] {3}, 36);
    assertHolds(new long[] {1, 2, 3}, 4, 20, 36);
  }

  @Test
  void nobodyIsToldThePassword() throws IOException {
    SwapDevice device = new SwapRedis(
        List.of(URI.create("redis://me:secret@127.0.0.1:" + RedisServer.freePort() + "/2")), "p", 1,
        TIMEOUT, TIMEOUT);
    assertThat(device.name()).doesNotContain("secret").startsWith("redis://127.0.0.1:")
        .endsWith("/p");
    assertThatThrownBy(device::swapon).isInstanceOf(IOException.class)
        .message().doesNotContain("secret");
  }

  @Test
  void settingsThatCannotBeAreRefusedByName() {
    List<URI> uris = List.of(server.uri());
    assertThatThrownBy(() -> new SwapRedis(List.of(), "p", 1, TIMEOUT, TIMEOUT))
        .hasMessageContaining("uris");
    assertThatThrownBy(
        () -> new SwapRedis(List.of(URI.create("redis")), "p", 1, TIMEOUT, TIMEOUT))
        .hasMessageContaining("uris");
    assertThatThrownBy(() -> new SwapRedis(uris, "a b", 1, TIMEOUT, TIMEOUT))
        .hasMessageContaining("prefix");
    assertThatThrownBy(() -> new SwapRedis(uris, "p", 0, TIMEOUT, TIMEOUT))
        .hasMessageContaining("size.bytes");
    assertThatThrownBy(() -> new SwapRedis(uris, "p", 1, TIMEOUT, Duration.ZERO))
        .hasMessageContaining("timeout.ms");
  }
}
