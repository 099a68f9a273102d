// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordArgumentsTest {
  @TempDir private Path folder;
  private Path program;

  @BeforeEach
  void makeProgram() throws Exception {
    program = Files.createFile(folder.resolve("prog"),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
  }

  private RecordArguments parse(String... words) throws Exception {
    return RecordArguments.parse(List.of(words), "/no/such/folder:" + folder);
  }

  private void refused(String message, String... words) {
    assertThatThrownBy(() -> parse(words)).isInstanceOf(RecordArguments.WrongException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void programIsLookedUpInPath() throws Exception {
    RecordArguments arguments = parse("prog", "-o", "x");
    assertThat(arguments.program()).isEqualTo(program.toString());
    assertThat(arguments.command()).containsExactly("prog", "-o", "x");
    assertThat(arguments.folder()).isEqualTo(Path.of("prog.rec"));
    assertThat(arguments.followExec()).isTrue();
  }

  @Test
  void optionsEndAtTwoDashes() throws Exception {
    RecordArguments arguments = parse("--first", "-o", "out", "--", program.toString(), "--", "-x");
    assertThat(arguments.folder()).isEqualTo(Path.of("out"));
    assertThat(arguments.followExec()).isFalse();
    assertThat(arguments.command()).containsExactly(program.toString(), "--", "-x");
  }

  @Test
  void wrongWordsAreNamedWithWhatToDo() {
    refused("the command to record is missing\nusage: record", "-o", "out");
    refused("-o: the folder is missing behind it", "-o");
    refused("-x: no such option; put -- before a command that begins with a dash", "-x", "ls");
    refused("nosuch: no such program in PATH; give its path, as in ./nosuch", "nosuch");
    refused("/no/such: there is no such file", "/no/such");
    refused(folder + ": it cannot be executed", folder.toString());
  }
}
