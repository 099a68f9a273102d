// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final PrintStream err = new PrintStream(written, false, UTF_8);

  @Test
  void eachTextTakesThePlaceOfTheOneBefore() {
    ProgressLine line = new ProgressLine(err, true);
    line.show("1 of 2");
    line.show("2 of 2");
    line.erase();
    assertThat(written.toString(UTF_8)).isEqualTo("\r\033[K1 of 2\r\033[K2 of 2\r\033[K");
  }

  @Test
  void whereNobodySeesItNothingIsWritten() {
    ProgressLine line = new ProgressLine(err, false);
    line.show("1 of 2");
    line.erase();
    assertThat(written.toByteArray()).isEmpty();
  }

  @Test
  void runsAreNumberedFromOne() {
    Progress progress = new Progress(new ProgressLine(err, true), 2);
    progress.begin("zero");
    progress.end();
    progress.begin("ring");
    assertThat(written.toString(UTF_8)).contains("[1/2] zero").endsWith("[2/2] ring");
  }
}
