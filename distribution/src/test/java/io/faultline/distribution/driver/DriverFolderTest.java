// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder of drivers' jars. */
class DriverFolderTest {
  @TempDir Path here;

  @Test
  void namesAreThoseOfVisibleJarsSorted() throws Exception {
    for (String file : List.of("zero.jar", "ring-1.1.jar", ".scullp.jar.part", ".uio.jar",
        "a.txt")) {
      Files.createFile(here.resolve(file));
    }
    assertThat(new DriverFolder(here).names()).containsExactly("ring-1.1", "zero");
  }

  @Test
  void aFolderThatIsNotThereHasNoDrivers() {
    assertThat(new DriverFolder(here.resolve("none")).names()).isEmpty();
  }

  @Test
  void aJarIsNamedAndFoundByTheSameName() {
    Path jar = new DriverFolder(here).jar("ring-1.1");
    assertThat(jar).isEqualTo(here.resolve("ring-1.1.jar"));
    assertThat(DriverFolder.nameOf(jar)).isEqualTo("ring-1.1");
  }

  @Test
  void onlyARegularFileWithTheEndingIsAJar() throws Exception {
    Files.createDirectory(here.resolve("folder.jar"));
    Files.createFile(here.resolve("Hello.java"));
    Files.createFile(here.resolve("hello.jar"));
    assertThat(DriverFolder.isJar(here.resolve("folder.jar"))).isFalse();
    assertThat(DriverFolder.isJar(here.resolve("Hello.java"))).isFalse();
    assertThat(DriverFolder.isJar(here.resolve("none.jar"))).isFalse();
    assertThat(DriverFolder.isJar(here.resolve("hello.jar"))).isTrue();
  }

  @Test
  void copyReplacesWhatLiesThereAndLeavesNothingElse() throws Exception {
    Path jar = Files.writeString(here.resolve("new"), "two");
    Path folder = Files.createDirectory(here.resolve("drivers"));
    Path target = Files.writeString(folder.resolve("zero.jar"), "one");
    new DriverFolder(folder).copy(jar, target);
    assertThat(target).hasContent("two");
    assertThat(folder).isDirectoryNotContaining(file -> !file.equals(target));
  }

  @Test
  void copyNamesTheFolderThatCannotBeWritten() throws Exception {
    Path jar = Files.createFile(here.resolve("zero.jar"));
    DriverFolder missing = new DriverFolder(here.resolve("none"));
    assertThatThrownBy(() -> missing.copy(jar, missing.jar("zero")))
        .isInstanceOf(DropInException.class)
        .hasMessageContaining("cannot copy " + jar + " to " + missing.path());
  }
}
