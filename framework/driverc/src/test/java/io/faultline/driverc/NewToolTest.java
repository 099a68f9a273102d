// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A name in, a project or the line that says why not out. What Maven makes of it: NewDriverIT. */
class NewToolTest {
  private static final Path HOME = Path.of("/opt/faultline");

  @TempDir static Path shared;
  static Path archetype;

  @TempDir Path here;

  private record Ended(int status, String out, String err) {}

  /** It is a jar in the distribution, and a folder as long as it is not packaged. */
  @BeforeAll
  static void packTheArchetype() throws Exception {
    URL pom = Objects.requireNonNull(
        NewToolTest.class.getClassLoader().getResource("archetype-resources/pom.xml"));
    if (pom.getProtocol().equals("jar")) {
      String file = pom.getPath();
      archetype = Path.of(URI.create(file.substring(0, file.indexOf("!/"))));
      return;
    }
    Path classes = Path.of(pom.toURI()).resolve("../..").normalize();
    archetype = shared.resolve("archetype.jar");
    try (OutputStream out = Files.newOutputStream(archetype);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Path file : files(classes)) {
        zip.putNextEntry(new ZipEntry(file.toString()));
        Files.copy(classes.resolve(file), zip);
      }
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).map(folder::relativize).sorted().toList();
    }
  }

  private Ended run(String... words) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status = new NewTool(HOME, archetype, here)
        .run(new PrintWriter(out, true), new PrintWriter(err, true), words);
    return new Ended(status, out.toString(), err.toString());
  }

  @Test
  void theProjectsClassesAreNamedAfterIt() throws IOException {
    assertThat(run("my-disk", "--package", "org.acme.disks").err()).isEmpty();
    assertThat(files(here.resolve("my-disk")).stream().map(Path::toString)).containsExactly(
        ".gitignore", "README.md", "bnd.bnd", "pom.xml",
        "src/main/java/org/acme/disks/MyDiskDriver.java",
        "src/test/java/org/acme/disks/MyDiskDriverComplianceTest.java",
        "src/test/java/org/acme/disks/MyDiskDriverTest.java");
    assertThat(here.resolve("my-disk/src/main/java/org/acme/disks/MyDiskDriver.java")).content()
        .startsWith("package org.acme.disks;\n").contains("@Device(name = \"my-disk\")")
        .contains("class MyDiskDriver implements");
    assertThat(here.resolve("my-disk/pom.xml")).content().startsWith("<?xml")
        .contains("<groupId>org.acme.disks</groupId>", "<artifactId>my-disk</artifactId>")
        .contains("<faultline.home>/opt/faultline</faultline.home>");
  }

  @ParameterizedTest
  @CsvSource({"pad, PadDriver", "my-ram2-disk, MyRam2DiskDriver", "driver, Driver",
    "pad-driver, PadDriver", "page, PageDriver"})
  void aClassIsCalledDriverOnce(String name, String expected) throws IOException {
    assertThat(run(name).err()).isEmpty();
    assertThat(here.resolve(name + "/src/main/java/org/example/" + expected + ".java")).exists();
  }

  @Test
  void nothingIsLeftOfTheTemplates() throws IOException {
    assertThat(run("pad").status()).isZero();
    Path project = here.resolve("pad");
    for (Path file : files(project)) {
      assertThat(project.resolve(file)).as(file.toString()).content()
          .doesNotContain("__", "##", "#set", "@project", "${package}", "${className}")
          .doesNotContain("${artifactId}", "${groupId}", "${faultlineHome}")
          .containsPattern("\\S");
    }
  }

  @Test
  void whatIsMadeBelongsToWhoeverMadeIt() throws IOException {
    assertThat(run("pad").status()).isZero();
    Path project = here.resolve("pad");
    for (Path file : files(project)) {
      assertThat(project.resolve(file)).content().doesNotContainIgnoringCase("SPDX", "Copyright");
    }
  }

  @Test
  void theVersionIsTheOneThatWasGiven() throws IOException {
    assertThat(run("pad", "--version", "2.1").out()).contains("cp target/pad-2.1.jar /opt/");
    assertThat(here.resolve("pad/pom.xml")).content().contains("<version>2.1</version>");
  }

  @Test
  void whatCanBeDoneNextIsSaid() {
    assertThat(run("pad")).isEqualTo(new Ended(0, """
        pad/.gitignore
        pad/README.md
        pad/bnd.bnd
        pad/pom.xml
        pad/src/main/java/org/example/PadDriver.java
        pad/src/test/java/org/example/PadDriverComplianceTest.java
        pad/src/test/java/org/example/PadDriverTest.java

        Next: cd pad && mvn verify
        Then: cp target/pad-1.0.0-SNAPSHOT.jar /opt/faultline/drivers/pad.jar
        """, ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"My-Disk", "9pad", "my--disk", "-", "my_disk", "pad-", "a/b", "..", "päd"})
  void aNameThatIsNoneIsRefused(String name) {
    Ended ended = run(name);
    assertThat(ended.status()).isEqualTo(2);
    assertThat(ended.err()).contains(name).contains("example: faultline new my-disk");
    assertThat(here).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource({
    "'', NAME is missing",
    "pad pod, 'NAME: there are two, pad and pod'",
    "pad --package, --package: a package such as org.acme is missing",
    "pad --package org..acme, --package: org..acme is no name of a Java package",
    "pad --package org.new, --package: org.new is no name of a Java package",
    "pad --package java.lang, --package: java.lang belongs to others",
    "pad --package io.faultline.pad, --package: io.faultline.pad belongs to others",
    "pad --version one, --version: one is no version",
    "pad --version, --version: a version such as 1.0.0-SNAPSHOT is missing",
    "pad --pakage org.acme, there is no option --pakage",
  })
  void whichArgumentIsWrongIsSaid(String line, String expected) {
    Ended ended = run(line.isEmpty() ? new String[0] : line.split(" "));
    assertThat(ended.status()).isEqualTo(2);
    assertThat(ended.err()).startsWith("new: " + expected);
    assertThat(here).isEmptyDirectory();
  }

  @Test
  void aFolderThatHoldsSomethingIsLeftAlone() throws IOException {
    Path precious = here.resolve("pad/precious");
    Files.createDirectories(precious.getParent());
    Files.writeString(precious, "mine");
    Ended ended = run("pad");
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.err()).startsWith("new: NAME: " + here.resolve("pad") + " exists already");
    assertThat(files(here)).containsExactly(Path.of("pad/precious"));
  }

  @Test
  void anEmptyFolderIsFilled() throws IOException {
    Files.createDirectory(here.resolve("pad"));
    assertThat(run("pad").status()).isZero();
  }
}
