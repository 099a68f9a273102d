// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.replay.recording.Recording;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recording beside the tests is replayed, and everything must be the kernel's. */
@FaultlineTest(memory = 256 << 20)
class RecordedProgramsTest {
  static Stream<String> all() {
    return TestRecordings.all();
  }

  @ParameterizedTest
  @MethodSource("all")
  void replaysExactlyAsLinuxRanIt(String name, BootedKernel kernel) throws IOException {
    Recording recording = Recording.read(TestRecordings.directory(name));
    Replayer replayer = new Replayer(TestServices.of(kernel));
    ReplayResult result = replayer.replay(recording, ReplayOptions.ALL);
    assertThat(result.divergences()).isEmpty();
    assertThat(result.exact()).isTrue();
    assertThat(result.prefix()).isEqualTo(result.scored()).isPositive();
    assertThat(result.digests().total()).isEqualTo(recording.digests().size());
    assertThat(result.maps().total()).isEqualTo(recording.checkpoints().size());
    assertThat(kernel.tasks().list()).isEmpty();
    assertThat(kernel.pages(TestServices.OWNER).allocated()).isZero();
    assertThat(kernel.problems()).isEmpty();
  }
}
