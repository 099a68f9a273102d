// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.scale;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How many areas one address space can hold. */
class ManyAreasTest {
  private static final int AREAS = 100_000;

  @Test
  @Timeout(value = 1200, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aHundredThousandAreasFitIntoAHeapOf64Megabytes() throws Exception {
    String said = runWithHeap("64m", AREAS);

    long sum = IntStream.iterate(0, page -> page < AREAS, page -> page + 16).asLongStream().sum();
    assertThat(said.lines()).containsExactly(
        "areas " + AREAS,
        "sum " + sum,
        // Six of the program itself, and [vsyscall].
        "maps " + (AREAS + 7),
        "left " + (AREAS * 3 / 4),
        "joined " + (AREAS * 3 / 4 - 2),
        "frames 0",
        "heap of 64 MiB true");
  }

  /** What {@link ManyAreas} prints in a JVM of its own. */
  private static String runWithHeap(String heap, int count)
      throws IOException, InterruptedException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    Process process =
        new ProcessBuilder(
            java, "-Xmx" + heap, "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "-cp",
            classPath, ManyAreas.class.getName(), Integer.toString(count))
            .redirectErrorStream(true).start();
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(said).isZero();
      return said;
    } finally {
      process.destroyForcibly();
    }
  }
}
