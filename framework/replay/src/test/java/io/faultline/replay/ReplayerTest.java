// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.kernel.Task;
import io.faultline.replay.Divergence.Kind;
import io.faultline.replay.recording.Digest;
import io.faultline.replay.recording.Recording;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How divergences are told, on recordings that were falsified on purpose. */
@FaultlineTest
class ReplayerTest {
  private final BootedKernel kernel;
  private final Replayer replayer;

  @TempDir Path copy;

  ReplayerTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.replayer = new Replayer(TestServices.of(kernel));
  }

  private Recording falsified(String file, String text, String other) throws IOException {
    TestRecordings.copy("true", copy);
    Path target = copy.resolve(file);
    String whole = Files.readString(target, StandardCharsets.ISO_8859_1);
    assertThat(whole).contains(text);
    Files.writeString(target, whole.replace(text, other), StandardCharsets.ISO_8859_1);
    return Recording.read(copy);
  }

  private static Recording asRecorded() throws IOException {
    return Recording.read(TestRecordings.directory("true"));
  }

  @Test
  void aWrongResultIsOneDivergenceAndEndsThePrefix() throws IOException {
    ReplayResult result =
        replayer.replay(
            falsified("calls.strace", "12288, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1,"
                + " 0) = 0x7ffff7dd2000",
                "12288, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS,"
                    + " -1, 0) = 0x7ffff7dd1000"),
            ReplayOptions.ALL);
    assertThat(result.exact()).isFalse();
    assertThat(result.calls()).isEqualTo(new Score(12, 13));
    assertThat(result.touches().all()).isTrue();
    assertThat(result.digests().all()).isTrue();
    Divergence first = Objects.requireNonNull(result.first());
    assertThat(first.kind()).isEqualTo(Kind.CALL);
    assertThat(first.expected()).isEqualTo("0x7ffff7dd1000");
    assertThat(first.got()).isEqualTo("0x7ffff7dd2000");
    assertThat(first.event()).startsWith("mmap(NULL, 12288");
    assertThat(result.prefix()).isLessThan(result.scored()).isPositive();
  }

  @Test
  void aTouchIsComparedWithItsCode() throws IOException {
    ReplayResult result =
        replayer.replay(
            falsified(
                "calls.strace",
                "touch_write(0x7ffff7dd2000) = ok",
                "touch_read(0x10000) = SIGSEGV (SEGV_ACCERR)"),
            ReplayOptions.ALL);
    Divergence first = Objects.requireNonNull(result.first());
    assertThat(first.kind()).isEqualTo(Kind.TOUCH);
    assertThat(first.got()).isEqualTo("SIGSEGV (SEGV_MAPERR)");
  }

  @Test
  void aWrongDigestDivergesThoughAllResultsAreRight() throws IOException {
    ReplayResult result =
        replayer.replay(falsified("digests.txt", "7 14 5a3969d1", "7 14 00000000"),
            ReplayOptions.ALL);
    assertThat(result.calls().all()).isTrue();
    assertThat(result.digests()).isEqualTo(new Score(12, 13));
    Divergence first = Objects.requireNonNull(result.first());
    assertThat(first.line()).isEqualTo(7);
    assertThat(first.kind()).isEqualTo(Kind.DIGEST);
    assertThat(result.prefix()).isEqualTo(4);
  }

  @Test
  void wrongMapsAtACheckpointAreShownSideBySide() throws IOException {
    ReplayResult result =
        replayer.replay(
            falsified("checkpoints/end.maps", "rw-p 00000000 00:00 0 \n",
                "r--p 00000000 00:00 0 \n"),
            ReplayOptions.ALL);
    assertThat(result.maps()).isEqualTo(new Score(1, 2));
    Divergence first = Objects.requireNonNull(result.first());
    assertThat(first.kind()).isEqualTo(Kind.MAPS);
    assertThat(String.valueOf(first.maps())).contains("> ", "r--p", "rw-p", "Linux", "Faultline");
  }

  @Test
  void wrongFlagsSpoilExactnessButNotThePrefix() throws IOException {
    ReplayResult result =
        replayer.replay(
            falsified("checkpoints/end.vmflags", "rd wr mr mw me gd ac", "rd wr mr mw me gd"),
            ReplayOptions.ALL);
    assertThat(result.flags()).isEqualTo(new Score(1, 2));
    assertThat(result.prefix()).isEqualTo(result.scored());
    assertThat(result.exact()).isFalse();
  }

  @Test
  void stopAtFirstEndsThereAndCountsTheRestAsNotReached() throws IOException {
    ReplayResult result =
        replayer.replay(
            falsified("digests.txt", "7 14 5a3969d1", "7 14 00000000"),
            new ReplayOptions(1, Integer.MAX_VALUE, true, false));
    assertThat(result.divergent()).isEqualTo(1);
    assertThat(result.digests()).isEqualTo(new Score(1, 13));
  }

  @Test
  void onlyTheLinesFromToAreCompared() throws IOException {
    Recording broken = falsified("digests.txt", "7 14 5a3969d1", "7 14 00000000");
    assertThat(replayer.replay(broken, new ReplayOptions(8, 12, false, false)).exact()).isTrue();
    assertThat(replayer.replay(broken, new ReplayOptions(1, 6, false, false)).exact()).isTrue();
    assertThat(replayer.replay(broken, new ReplayOptions(7, 7, false, false)).exact()).isFalse();
  }

  @Test
  void aKeptProcessIsAsItWasAtItsLastLine() throws IOException {
    Recording recording = asRecorded();
    ReplayResult result = replayer.replay(recording, new ReplayOptions(1, 7, false, true));
    Task kept = Objects.requireNonNull(result.kept());
    assertThat(kept.alive()).isTrue();
    assertThat(kept.name()).isEqualTo("true");
    assertThat(Digest.of(kernel.proc().maps(kept))).isEqualTo(recording.digests().after(7));
    kernel.tasks().exit(kept, 0);
  }

  @Test
  void aKernelThatThrowsIsADivergenceWithItsMessageAndTheReplayGoesOn() throws IOException {
    IllegalStateException failure = new IllegalStateException("tree out of order");
    ReplayResult result =
        new Replayer(TestServices.failing(kernel, "mprotect", failure))
            .replay(asRecorded(), ReplayOptions.ALL);
    Divergence first = Objects.requireNonNull(result.first());
    assertThat(first.got()).contains("tree out of order");
    assertThat(first.failure()).isSameAs(failure);
    assertThat(result.touches().all()).isTrue();
    assertThat(kernel.tasks().list()).isEmpty();
  }

  @Test
  void aProcessThatCannotStartIsADivergence() throws IOException {
    Recording recording =
        falsified("meta.json", "\"0x7ffffffff000\"", "\"0x7fffffffe000\"");
    ReplayResult result = replayer.replay(recording, ReplayOptions.ALL);
    assertThat(Objects.requireNonNull(result.first()).kind()).isEqualTo(Kind.REPLAY);
    assertThat(result.calls().exact()).isZero();
    assertThat(result.prefix()).isZero();
  }

  @Test
  void aCallThatIsNotThereIsADivergenceByName() throws IOException {
    ReplayResult result =
        replayer.replay(
            falsified("calls.strace", "brk(NULL) = ", "map_shadow_stack(0, 0x1000, 0) = "),
            ReplayOptions.ALL);
    assertThat(Objects.requireNonNull(result.first()).got())
        .contains("UnsupportedOperationException", "map_shadow_stack");
  }
}
