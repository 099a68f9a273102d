// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.Recording;
import io.faultline.replay.recording.ScoredEvent;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run over many recordings prints and writes. */
@FaultlineTest
class ReplayRunTest {
  private final BootedKernel kernel;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @TempDir Path folder;

  ReplayRunTest(BootedKernel kernel) {
    this.kernel = kernel;
  }

  private ReplaySummary run(String... words) throws Exception {
    return new ReplayRun(
        new Replayer(TestServices.of(kernel)),
        ReplayArguments.parse(folder, List.of(words)),
        new PrintStream(printed, true, StandardCharsets.UTF_8),
        new Progress(new ProgressLine(System.err, false), 1))
        .run();
  }

  private List<String> lines() {
    return printed.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private static String directory(String name) {
    return TestRecordings.directory(name).toString();
  }

  @Test
  void aLineForEachInTheOrderGivenAndTheTotals() throws Exception {
    ReplaySummary summary = run("--jobs", "2", directory("w-ipc"), directory("true"));
    assertThat(summary.exact()).isTrue();
    assertThat(lines())
        .containsExactly(
            "w-ipc calls 30/30 touches 8/8 digests 31/31 maps 2/2 vmflags 2/2 prefix 100%",
            "true calls 13/13 touches 7/7 digests 13/13 maps 2/2 vmflags 2/2 prefix 100%",
            "total calls 43/43 touches 15/15 digests 44/44 maps 4/4 vmflags 4/4 prefix 100%;"
                + " 2 of 2 recordings exact");
  }

  @Test
  void aRecordingThatCannotBeReadIsToldAndTheOthersAreReplayed() throws Exception {
    TestRecordings.copy("true", folder.resolve("broken"));
    Path calls = folder.resolve("broken/calls.strace");
    Files.writeString(calls, Files.readString(calls).replace("brk(NULL)", "brk(NUL)"));
    ReplaySummary summary = run("broken", directory("true"));
    assertThat(summary.exact()).isFalse();
    assertThat(summary.unreadable()).isEqualTo(1);
    assertThat(lines().getFirst())
        .isEqualTo(calls + ":6: expected an address, found 'NUL) = 0x55555555e000'");
    assertThat(lines().getLast()).endsWith("1 of 2 recordings exact, 1 unreadable");
  }

  @Test
  void theFirstDivergenceIsExplainedWithItsContext() throws Exception {
    TestRecordings.copy("true", folder.resolve("wrong"));
    Path digests = folder.resolve("wrong/digests.txt");
    Files.writeString(digests, Files.readString(digests).replace("7 14 5a3969d1", "7 13 5a3969d1"));
    run("--stop-at-first", "wrong");
    assertThat(lines().getFirst()).contains("digests 1/13", "prefix 20.00%");
    assertThat(lines()).anyMatch(line -> line.startsWith("  >     7 mmap("));
    assertThat(lines())
        .anyMatch(line -> line.contains("DIGEST: expected 13 5a3969d1, got 14 5a3969d1"))
        .containsSubsequence(
            "    ours was decided by",
            "      placement: the highest gap below mmap_base that holds 0x2000 bytes: 7ffff7fc0000"
                + " (Placer, arch_get_unmapped_area_topdown)",
            "      area: a new area (MapRegion, __mmap_new_vma)");
    assertThat(lines()).anyMatch(line -> line.contains("Faultline before (Linux after: 13 lines)"));
  }

  @Test
  void resultsAreWrittenInTheRecordingsResultFormat() throws Exception {
    run("--results", "out", directory("true"));
    Recording recording = Recording.read(TestRecordings.directory("true"));
    List<String> results =
        Files.readAllLines(folder.resolve("out/true.results"), StandardCharsets.ISO_8859_1);
    List<String> expected = new ArrayList<>();
    for (Event event : recording.events()) {
      if (event instanceof ScoredEvent scored) {
        expected.add("R " + event.line() + " " + scored.expected());
      }
    }
    assertThat(results.stream().filter(line -> line.startsWith("R "))).isEqualTo(expected);
    assertThat(
        results.stream().filter(line -> line.startsWith("D ")).map(line -> line.substring(2)))
        .isEqualTo(Files.readAllLines(recording.directory().resolve("digests.txt")));
    List<String> maps =
        Files.readAllLines(
            recording.directory().resolve("checkpoints/end.maps"), StandardCharsets.ISO_8859_1);
    assertThat(results).contains("C end " + maps.size()).containsSequence(maps);
    assertThat(results).contains("F end " + maps.size());
  }

  @Test
  void twoRecordingsOfOneNameAreRefusedBeforeOneOverwritesTheOther() throws Exception {
    TestRecordings.copy("true", folder.resolve("true"));
    assertThatThrownBy(() -> run("--results", "out", "true", directory("true")))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("would both be true.results");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void jsonNamesTheRulesOfTheFirstDivergence() throws Exception {
    TestRecordings.copy("true", folder.resolve("wrong"));
    Path digests = folder.resolve("wrong/digests.txt");
    Files.writeString(digests, Files.readString(digests).replace("7 14 5a3969d1", "7 14 00000000"));
    run("--json", "wrong");
    assertThat(lines().getFirst())
        .contains(
            "\"maps\":\"  Faultline before (Linux after: 14 lines)",
            "\"decidedAtLine\":7,\"decisions\":[{\"kind\":\"PLACEMENT\",\"rule\":\"TOP_DOWN\","
                + "\"text\":\"the highest gap below mmap_base that holds 0x2000 bytes:"
                + " 7ffff7fc0000\",\"class\":\"Placer\","
                + "\"source\":\"arch_get_unmapped_area_topdown\"}");
  }

  @Test
  void jsonIsOneObjectALine() throws Exception {
    run("--json", directory("true"), "nowhere");
    assertThat(lines()).hasSize(2);
    assertThat(lines().getFirst())
        .startsWith("{\"name\":\"true\",\"exact\":true,\"calls\":[13,13],")
        .endsWith("}");
    assertThat(lines().getLast())
        .startsWith("{\"name\":\"nowhere\",\"exact\":false,\"error\":\"");
  }
}
