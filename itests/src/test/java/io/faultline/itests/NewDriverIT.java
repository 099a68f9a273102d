// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.harness.Eventually;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * {@code faultline new pad}, and all that its user does with it: builds it with Maven, drops it into a
 * running kernel, maps it, changes it and upgrades to the change. Outside any container.
 *
 * <p>Maven gets a local repository of its own, below target/, and takes what it needs from the one of
 * the build that runs this test: nothing is downloaded that is not missing there, and nothing of this
 * project is installed there.
 */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(1800)
class NewDriverIT {
  private static final Path HOME = Path.of(property("faultline.home")).normalize();
  private static final Path SCRIPT = HOME.resolve("faultline");

  /** What the archetype plug-in made in the module archetype, of the same name and package. */
  private static final Path BY_MAVEN = Path.of(property("faultline.archetype.project"));

  @TempDir Path folder;

  private static String property(String name) {
    return Objects.requireNonNull(System.getProperty(name), name);
  }

  private record Ended(int status, String out) {}

  private Ended run(Path in, Map<String, String> environment, List<String> command)
      throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(in.toFile()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    return new Ended(process.exitValue(), out);
  }

  private Ended create(String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString(), "new"));
    command.addAll(List.of(words));
    return run(folder, Map.of("FAULTLINE_VAR", folder.resolve("var").toString()), command);
  }

  /**
   * Maven, as a user runs it.
   *
   * @param cache the name of its local repository, one for those who do not run at the same time
   */
  private Ended maven(String cache, Path project, String... words) throws Exception {
    List<String> command = new ArrayList<>(
        List.of(
            Path.of(property("maven.home"), "bin", "mvn").toString(), "-B", "-ntp", "-s",
            settings().toString(),
            "-Dmaven.repo.local=" + Path.of("target", cache).toAbsolutePath()));
    command.addAll(List.of(words));
    return run(project, Map.of("JAVA_HOME", property("maven.java.home")), command);
  }

  /** Central is this build's local repository; what that does not have, the real one has. */
  private Path settings() throws IOException {
    String repositories = """
        <%1$sies>
          <%1$sy>
            <id>central</id>
            <url>file://%2$s</url>
            <releases><checksumPolicy>ignore</checksumPolicy></releases>
            <snapshots><enabled>false</enabled></snapshots>
          </%1$sy>
          <%1$sy>
            <id>online</id>
            <url>https://repo.maven.apache.org/maven2</url>
            <snapshots><enabled>false</enabled></snapshots>
          </%1$sy>
        </%1$sies>
        """;
    String cached = property("maven.repo.outer");
    return Files.writeString(folder.resolve("settings.xml"), """
        <settings><profiles><profile><id>outer</id>
        %s%s
        </profile></profiles>
        <activeProfiles><activeProfile>outer</activeProfile></activeProfiles></settings>
        """.formatted(
        repositories.formatted("repositor", cached),
        repositories.formatted("pluginRepositor", cached)));
  }

  private static Map<String, String> contents(Path project) throws IOException {
    Map<String, String> contents = new LinkedHashMap<>();
    try (Stream<Path> files = Files.walk(project)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        contents.put(project.relativize(file).toString(), Files.readString(file));
      }
    }
    return contents;
  }

  @Test
  void theScriptMakesTheFilesThatTheMavenArchetypeMakes() throws Exception {
    assertThat(create("pad", "--package", "org.acme").status()).isZero();
    Map<String, String> expected = contents(BY_MAVEN);
    expected.replaceAll((file, text) -> text.replace("/opt/faultline", HOME.toString()));
    assertThat(expected).hasSizeGreaterThan(5);
    assertThat(contents(folder.resolve("pad"))).isEqualTo(expected);
  }

  @Test
  void mavenAloneMakesThemTooWithNoRepositoryInItsSettings() throws Exception {
    Ended made = maven(
        "new-driver-archetype-repository", folder, "-f", HOME.resolve("repository").toString(),
        "archetype:generate", "-DgroupId=org.acme", "-DartifactId=pad", "-DfaultlineHome=" + HOME);
    assertThat(made.status()).as(made.out()).isZero();
    Map<String, String> expected = contents(BY_MAVEN);
    expected.replaceAll((file, text) -> text.replace("/opt/faultline", HOME.toString()));
    assertThat(contents(folder.resolve("pad"))).isEqualTo(expected);
  }

  @Test
  void aWrongNameIsAUsageError() throws Exception {
    Ended ended = create("My_Pad");
    assertThat(ended.status()).isEqualTo(2);
    assertThat(ended.out()).startsWith("new: NAME: My_Pad is no name");
  }

  @Test
  void aNewDriverBuildsPassesTheKitAndIsMappedInARunningKernel() throws Exception {
    assertThat(create("pad", "--package", "org.acme").out()).contains("Next: cd pad && mvn verify");
    Path project = folder.resolve("pad");
    Ended verified = maven("new-driver-repository", project, "verify");
    assertThat(verified.status()).as(verified.out()).isZero();
    assertThat(verified.out()).containsPattern("Tests run: 1[0-9], Failures: 0, Errors: 0, .*Comp")
        .doesNotContain("[WARNING]");
    Path jar = project.resolve("target/pad-1.0.0-SNAPSHOT.jar");

    Path drivers = Files.createDirectory(folder.resolve("drivers"));
    try (Shell shell = new Shell(drivers)) {
      shell.say("spawn alpha");
      drop(jar, drivers);
      Eventually.holds("/dev/pad", () -> shell.has("driver list", "/dev/pad"));
      assertThat(shell.say("open 1 /dev/pad")).contains("fd 0: /dev/pad");
      String address = shell.say("mmap 1 17p rw- shared 0").strip();
      shell.say("poke 1 " + address + " \"from the first build\"");

      // The next version has one page less.
      Path source = project.resolve("src/main/java/org/acme/PadDriver.java");
      String changed = Files.readString(source).replace("page < PAGES ?", "page < PAGES - 1 ?");
      Files.writeString(source, changed);
      Ended again = maven("new-driver-repository", project, "package", "-DskipTests");
      assertThat(again.status()).as(again.out()).isZero();
      assertThat(shell.say("driver upgrade " + jar)).contains("org.acme.pad 1.0.0.", "is gone");
      assertThat(shell.say("peek 1 " + address + " string")).contains("from the first build");
      assertThat(shell.say("peek 1 " + page(address, 14))).doesNotContain("SIG");
      assertThat(shell.say("peek 1 " + page(address, 15))).contains("SIGBUS");
    }
  }

  private static String page(String address, int page) {
    return "0x" + Long.toHexString(Long.decode(address) + page * 4096L);
  }

  /** As cp does, which is not done at once. */
  private static void drop(Path jar, Path drivers) throws IOException {
    Files.copy(jar, drivers.resolve("pad.jar"));
  }

  /** {@code faultline}, its lines from a pipe. */
  private final class Shell implements AutoCloseable {
    private static final String END = "that was all";

    private final Process process;
    private final Writer in;
    private final BlockingQueue<String> out = new LinkedBlockingQueue<>();

    Shell(Path drivers) throws IOException {
      ProcessBuilder builder =
          new ProcessBuilder(SCRIPT.toString()).directory(folder.toFile())
              .redirectErrorStream(true);
      builder.environment().put("FAULTLINE_VAR", folder.resolve("var").toString());
      builder.environment().put("FAULTLINE_OPTS", "-Dfaultline.drivers=" + drivers);
      process = builder.start();
      in = process.outputWriter();
      Thread unused = Thread.ofPlatform().daemon()
          .start(() -> {
            process.inputReader().lines().forEach(out::add);
            // It ends at the first line that fails.
            out.add(END);
          });
    }

    /** Runs a line, and gives what it said. */
    String say(String line) throws Exception {
      in.write(line + "\necho " + END + "\n");
      in.flush();
      StringBuilder said = new StringBuilder();
      while (true) {
        String got = out.poll(5, TimeUnit.MINUTES);
        if (got == null) {
          throw new AssertionError("no end of the answer to " + line + ": " + said);
        }
        if (got.equals(END)) {
          return said.toString();
        }
        said.append(got).append('\n');
      }
    }

    boolean has(String line, String text) {
      try {
        return say(line).contains(text);
      } catch (Exception e) {
        throw new AssertionError(line + ": " + e, e);
      }
    }

    @Override
    public void close() throws IOException {
      in.close();
      try {
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("the shell ends").isTrue();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        process.destroyForcibly();
      }
    }
  }
}
