// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import io.faultline.testkit.SwapDeviceSpeed;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Measures, against a server on this machine; runs when it is asked for by name. */
class SwapRedisSpeed {
  @Test
  void measure(@TempDir Path folder) throws IOException {
    RedisServer.require();
    Duration timeout = Duration.ofSeconds(5);
    try (RedisServer server = RedisServer.start(folder)) {
      System.out.println(SwapDeviceSpeed
          .of(new SwapRedis(List.of(server.uri()), "speed", 16384, timeout, timeout)));
    }
  }
}
