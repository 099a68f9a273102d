// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReplayArgumentsTest {
  private static final Path HERE = Path.of("/home/me");

  private static ReplayArguments parse(String... words) throws CommandException {
    return ReplayArguments.parse(HERE, List.of(words));
  }

  @Test
  void onlyDirectoriesAreNeeded() throws Exception {
    ReplayArguments arguments = parse("a/ls", "/b/true");
    assertThat(arguments.recordings()).containsExactly(HERE.resolve("a/ls"), Path.of("/b/true"));
    assertThat(arguments.options()).isEqualTo(ReplayOptions.ALL);
    assertThat(arguments.results()).isNull();
    assertThat(arguments.json()).isFalse();
    assertThat(arguments.jobs()).isPositive();
  }

  @Test
  void optionsMayStandAnywhere() throws Exception {
    ReplayArguments arguments =
        parse(
            "--from", "3", "a", "--to", "9", "--keep", "b", "--stop-at-first", "--json",
            "--results", "out", "--jobs", "1");
    assertThat(arguments.recordings()).containsExactly(HERE.resolve("a"), HERE.resolve("b"));
    assertThat(arguments.options()).isEqualTo(new ReplayOptions(3, 9, true, true));
    assertThat(arguments.results()).isEqualTo(HERE.resolve("out"));
    assertThat(arguments.json()).isTrue();
    assertThat(arguments.jobs()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--json; no recording given",
        "a --frm 3; there is no option --frm",
        "a --from; --from needs a value",
        "a --from x; --from: 'x' is not a number in 1..2147483647",
        "a --jobs 0; --jobs: '0' is not a number in 1..64",
        "a --from 9 --to 3; --to 3 is before --from 9",
      })
  void whatIsWrongIsToldInOneLineWithAnExample(String words, String message) {
    assertThatThrownBy(() -> parse(words.split(" ")))
        .isInstanceOf(CommandException.class)
        .hasToString(
            "replay: " + message + "; example: replay --stop-at-first recordings/corpus/ls");
  }
}
