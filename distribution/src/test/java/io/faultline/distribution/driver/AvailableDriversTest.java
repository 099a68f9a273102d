// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The drivers that can be installed. */
class AvailableDriversTest {
  @TempDir Path here;
  private DriverFolder along;
  private DriverFolder compiled;
  private AvailableDrivers available;

  @BeforeEach
  void twoFolders() throws Exception {
    along = new DriverFolder(Files.createDirectory(here.resolve("along")));
    compiled = new DriverFolder(Files.createDirectory(here.resolve("compiled")));
    available = new AvailableDrivers(along, compiled, new DriverCompiler(here));
    Files.createFile(along.jar("zero"));
    Files.createFile(along.jar("ring"));
    Files.createFile(compiled.jar("hello"));
  }

  @Test
  void bothFoldersNamesAreListedOnce() throws Exception {
    Files.createFile(compiled.jar("ring"));
    assertThat(available.names()).containsExactly("hello", "ring", "zero");
  }

  @Test
  void oneThatWasCompiledHereComesBeforeOneThatCameAlong() throws Exception {
    assertThat(available.jar("ring")).isEqualTo(along.jar("ring"));
    Files.createFile(compiled.jar("ring"));
    assertThat(available.jar("ring")).isEqualTo(compiled.jar("ring"));
  }

  @Test
  void aJarThatIsNotThereIsAnsweredWithThoseThatAre() throws Exception {
    available.requireJar("insmod", along.jar("zero"));
    assertThatThrownBy(() -> available.requireJar("insmod", here.resolve("none.jar")))
        .isInstanceOf(DropInException.class)
        .hasMessage(
            "insmod: %s is neither a jar nor a driver that came along; those are: hello ring zero",
            here.resolve("none.jar"));
  }

  @Test
  void aDistributionWithoutTheCompilerSaysSo() {
    assertThatThrownBy(() -> available.compile(List.of(here.resolve("Hello.java"))))
        .isInstanceOf(DropInException.class)
        .hasMessageContaining("cannot compile");
  }
}
