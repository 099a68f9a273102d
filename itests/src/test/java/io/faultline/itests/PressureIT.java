// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** {@code faultline pressure}, for some seconds on each device. docs/memory.md has what long runs gave. */
@Execution(ExecutionMode.CONCURRENT)
class PressureIT {
  private static final Path SCRIPT =
      Path.of(System.getProperty("faultline.home")).resolve("faultline").normalize();

  @TempDir static Path var;

  private record Ended(int status, String out) {}

  private static Ended pressure(String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString(), "pressure"));
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("FAULTLINE_VAR", var.toString());
    Process process = builder.start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("it ends").isTrue();
    return new Ended(process.exitValue(), out);
  }

  private static void holdsOn(String device) throws Exception {
    Ended ended = pressure("--seconds", "2", "--swap", device, "--memory", "8M");
    assertThat(ended.out())
        .contains("no byte wrong, no page moved, all frames and slots are free");
    assertThat(ended.status()).isZero();
  }

  @Test
  void aFile() throws Exception {
    holdsOn("file");
  }

  @Test
  void compressedMemory() throws Exception {
    holdsOn("zram");
  }

  @Test
  void aRedisServer() throws Exception {
    try {
      new ProcessBuilder("redis-server", "--version").start().waitFor();
    } catch (IOException e) {
      Assumptions.abort("no redis-server here (Debian: apt-get install redis-server)");
    }
    holdsOn("redis");
  }

  @Test
  void twoDevicesAtOnce() throws Exception {
    holdsOn("zram,file");
  }

  @Test
  void wordsThatMakeNoSenseGetALineWithAnExample() throws Exception {
    Ended ended = pressure("--swap", "tape");
    assertThat(ended.out())
        .startsWith("faultline: pressure: --swap: 'tape' is none of file, zram, redis")
        .contains("example: pressure --minutes 1");
    assertThat(ended.status()).isEqualTo(1);
  }
}
