// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the README shows of the samples is what is shipped. */
class SamplesTest {
  private static final Path HELLO = Path.of("src/main/samples/Hello.java");
  private static final Path README = Path.of("../README.md");

  @Test
  void helloIsADriverIn30Lines() throws IOException {
    List<String> lines = Files.readAllLines(HELLO);
    assertThat(lines).hasSizeLessThanOrEqualTo(30).allMatch(line -> line.length() <= 100);
  }

  @Test
  void theReadmeShowsHelloAsItIs() throws IOException {
    assertThat(Files.readString(README)).contains("```java\n" + Files.readString(HELLO) + "```\n");
  }
}
