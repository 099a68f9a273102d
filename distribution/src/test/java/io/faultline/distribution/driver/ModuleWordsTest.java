// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jline.reader.Candidate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Tab offers behind insmod. */
class ModuleWordsTest {
  @TempDir Path here;

  @BeforeEach
  void aProject() throws Exception {
    Files.createDirectories(here.resolve("target/classes"));
    Files.createDirectories(here.resolve(".git"));
    Files.createFile(here.resolve("Hello.java"));
    Files.createFile(here.resolve("notes.txt"));
    Files.createFile(here.resolve("target/mine-1.0.jar"));
  }

  private List<String> words(String word) {
    return ModuleWords.of(List.of("scullp"), here, word).stream().map(Candidate::value).toList();
  }

  @Test
  void driversThatCameAlongAndThenFoldersJarsAndSources() {
    assertThat(words("")).containsExactly("scullp", "Hello.java", "target/");
  }

  @Test
  void withinAFolderTheWordGoesOn() {
    assertThat(words("target/mi"))
        .containsExactly("scullp", "target/classes/", "target/mine-1.0.jar");
  }

  @Test
  void noBlankFollowsAFolder() {
    assertThat(ModuleWords.of(List.of(), here, ""))
        .filteredOn(candidate -> !candidate.complete())
        .extracting(Candidate::value).containsExactly("target/");
  }

  @Test
  void hiddenOnesAreOfferedToWhoAsksForThem() {
    assertThat(words(".")).contains(".git/");
  }

  @Test
  void aFolderThatIsNotThereOffersNothing() {
    assertThat(words("nowhere/")).containsExactly("scullp");
  }

  @Test
  void aPathMayBeginAtHome() {
    assertThat(ModuleWords.resolve(here, "~/a/../b.jar"))
        .isEqualTo(Path.of(System.getProperty("user.home"), "b.jar"));
  }
}
