// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.Set;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** {@code soak}, in short: it counts the JVM's threads and weighs its heap, so nothing else may run in it. */
@InFelix
@Isolated
class SoakIT {
  private CommandSession session;

  @BeforeEach
  void openSession(CommandProcessor processor) {
    session =
        processor.createSession(
            InputStream.nullInputStream(), PrintStream.nullOutputStream(),
            PrintStream.nullOutputStream());
    Eventually.holds(
        "the command is there",
        () -> session.get(".commands") instanceof Set<?> commands
            && commands.contains("faultline:soak"));
  }

  @AfterEach
  void closeSession() {
    session.close();
  }

  private String run(String line) throws Exception {
    return String.valueOf(session.execute(line));
  }

  @Test
  void soakOverThreeDriversShowsNoFailedAccessAndNothingLeft() throws Exception {
    assertThat(run("soak --upgrades 10"))
        .contains("upgrades           10 of each of 3 drivers", "failed accesses    0",
            "wrong bytes        in 0 accesses", "scullp                  10",
            "framebuffer             10", "ring                    10",
            "all 33 old ones collected")
        .containsPattern("heap after GC .* 6 looks, trend \\S+ MiB over 15 bundles");
  }

  @Test
  void roundsOfInstallingAndUninstallingEveryDriverLeaveNothing() throws Exception {
    assertThat(run("soak --rounds 10"))
        .contains("rounds             10 of framebuffer ", " ring scullp simple ")
        .containsPattern("all \\d+ old ones collected")
        .containsPattern("heap after GC .* 11 looks, trend \\S+ MiB over \\d+ bundles")
        // More than the log can name would have failed it.
        .containsPattern("old bundles +\\d{1,2} of \\d{2,3} are remembered");
  }
}
