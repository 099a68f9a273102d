// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.SwapDevice;
import io.faultline.testkit.SwapDeviceContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** With a real cluster of three. */
class SwapRedisClusterTest extends SwapDeviceContract {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final int HASH_SLOTS = 16384;

  @TempDir static Path folder;

  private static final List<RedisServer> NODES = new ArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    RedisServer.require();
    int[] bus = new int[3];
    for (int i = 0; i < 3; i++) {
      bus[i] = RedisServer.freePort();
      NODES.add(RedisServer.start(Files.createDirectory(folder.resolve("node" + i)),
          "--cluster-enabled", "yes", "--cluster-port", Integer.toString(bus[i]),
          "--cluster-require-full-coverage", "no", "--cluster-node-timeout", "60000"));
    }
    for (int i = 0; i < 3; i++) {
      try (Jedis jedis = NODES.get(i).jedis()) {
        jedis.clusterAddSlots(
            IntStream.range(HASH_SLOTS * i / 3, HASH_SLOTS * (i + 1) / 3).toArray());
        for (int other = 0; other < i; other++) {
          jedis.sendCommand(redis.clients.jedis.Protocol.Command.CLUSTER, "MEET", "127.0.0.1",
              Integer.toString(NODES.get(other).port()), Integer.toString(bus[other]));
        }
      }
    }
    awaitCluster();
  }

  private static void awaitCluster() throws InterruptedException {
    for (RedisServer node : NODES) {
      try (Jedis jedis = node.jedis()) {
        for (int i = 0; !jedis.clusterInfo().contains("cluster_state:ok")
            || !jedis.clusterInfo().contains("cluster_slots_ok:16384"); i++) {
          assertThat(i).as(jedis.clusterInfo()).isLessThan(18_000);
          // The nodes agree among themselves, and tell who asks.
          Thread.sleep(10);
        }
      }
    }
  }

  @AfterAll
  static void stop() {
    NODES.forEach(RedisServer::close);
  }

  @Override
  protected SwapDevice device() {
    return new SwapRedis(List.of(NODES.get(0).uri(), NODES.get(1).uri()), "faultline", 10_000,
        TIMEOUT, TIMEOUT);
  }

  @Override
  protected List<String> leftovers() {
    return NODES.stream().flatMap(node -> node.keys().stream()).toList();
  }

  @Test
  void everyNodeHasItsPart() throws IOException {
    underTest().swapon();
    long[] slots = LongStream.range(0, 8000).toArray();
    write(slots, slots);
    assertThat(NODES).allSatisfy(node -> assertThat(node.keys()).hasSizeGreaterThan(2));
    assertHolds(slots, slots);
  }

  @Test
  void aNodeThatDiesTakesItsPagesAloneAndComesBack() throws Exception {
    underTest().swapon();
    long[] slots = LongStream.range(0, 8000).toArray();
    write(slots, slots);
    NODES.get(2).kill();
    try {
      int[] came = {0, 0};
      for (long bucket = 0; bucket < 8000; bucket += 256) {
        try {
          assertHolds(new long[] {bucket}, bucket);
          came[0]++;
        } catch (IOException e) {
          came[1]++;
        }
      }
      assertThat(came[0]).isPositive();
      assertThat(came[1]).isPositive();
      assertRefused(() -> write(slots, slots));
    } finally {
      NODES.get(2).start();
      awaitCluster();
    }
    write(slots, slots);
    assertHolds(slots, slots);
  }

  @Test
  void hashSlotsThatMoveAreFollowed() throws Exception {
    underTest().swapon();
    long[] slots = LongStream.range(0, 8000).toArray();
    write(slots, slots);
    List<Integer> moved = IntStream.range(0, 2000).boxed().toList();
    move(moved, NODES.get(0), NODES.get(1));
    try {
      assertRefusedOrHolds(slots);
      write(slots, slots);
      assertHolds(slots, slots);
    } finally {
      underTest().swapoff();
      move(moved, NODES.get(1), NODES.get(0));
    }
  }

  /** Those whose hash slots have moved without their keys are gone; nothing else may happen. */
  private void assertRefusedOrHolds(long[] slots) {
    for (long bucket = 0; bucket < slots.length; bucket += 256) {
      try {
        assertHolds(new long[] {bucket}, bucket);
      } catch (IOException gone) {
        assertThat(gone).hasMessageContaining("is gone");
      }
    }
  }

  private static void move(List<Integer> hashSlots, RedisServer from, RedisServer to)
      throws InterruptedException {
    try (Jedis source = from.jedis(); Jedis target = to.jedis()) {
      String id = target.clusterMyId();
      for (int slot : hashSlots) {
        List<String> keys = source.clusterGetKeysInSlot(slot, 100);
        keys.forEach(source::del);
      }
      for (RedisServer node : NODES) {
        try (Jedis jedis = node.jedis()) {
          for (int slot : hashSlots) {
            jedis.clusterSetSlotNode(slot, id);
          }
        }
      }
    }
    awaitCluster();
  }
}
