// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The script that a user runs, on the folder as it was assembled. Outside any container. */
@Execution(ExecutionMode.CONCURRENT)
class ScriptIT {
  private static final Path SCRIPT =
      Path.of(System.getProperty("faultline.home")).resolve("faultline").normalize();

  /**
   * One for all: the JVM's archive of classes is made there once. Tests run side by side: who looks what
   * a run leaves needs one of its own.
   */
  @TempDir static Path var;

  @TempDir Path folder;

  private record Ended(int status, String out, String err) {}

  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void leaveNoneRunning() {
    // The script execs the JVM: there are no children.
    started.forEach(Process::destroyForcibly);
  }

  private Process start(Path script, Map<String, String> environment, String... words)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().put("FAULTLINE_VAR", var.toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private static Ended end(Process process, String input) throws Exception {
    try (var stdin = process.outputWriter()) {
      stdin.write(input);
    }
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("it ends").isTrue();
    return new Ended(process.exitValue(), out, err);
  }

  private Ended run(String... words) throws Exception {
    return end(start(SCRIPT, Map.of(), words), "");
  }

  @Test
  void versionSaysWhichJdk() throws Exception {
    Ended ended = run("version");
    assertThat(ended.out()).startsWith("Faultline 0.1.0").contains("JDK 25");
    assertThat(ended.status()).isZero();
  }

  @Test
  void helpNamesEveryCommand() throws Exception {
    assertThat(run("help").out()).contains("shell", "demo", "replay DIR", "version");
  }

  @Test
  void aLineOfTheShellsLanguageIsRun() throws Exception {
    assertThat(run("-c", "echo one | grep o")).isEqualTo(new Ended(0, "one\n", ""));
  }

  @Test
  void wordsAreTakenAsTheyAre() throws Exception {
    assertThat(run("echo", "a  b", "it's", "$x", "*").out()).isEqualTo("a  b it's $x *\n");
  }

  @Test
  void linesOfAPipeAreRun() throws Exception {
    Ended ended = end(start(SCRIPT, Map.of()), "x = 3\necho $x\nexit\necho not reached\n");
    assertThat(ended.out()).isEqualTo("3\n3\n");
    assertThat(ended.status()).isZero();
  }

  @Test
  void aCommandThatFailsGivesItsMessageAndStatusOne() throws Exception {
    Ended ended = run("-c", "throw 'broken on purpose'");
    assertThat(ended.err()).isEqualTo("faultline: broken on purpose\n");
    assertThat(ended.status()).isEqualTo(1);
  }

  @Test
  void anUnknownCommandIsAUsageError() throws Exception {
    Ended ended = run("dmeo");
    assertThat(ended.err()).contains("no command dmeo").contains("faultline help");
    assertThat(ended.status()).isEqualTo(2);
  }

  @Test
  void relativePathsAreTheUsers() throws Exception {
    Files.writeString(folder.resolve("note"), "found\n");
    assertThat(run("cat", "note").out()).isEqualTo("found\n");
  }

  @Test
  void worksThroughLinksAndFromFoldersWithBlanks() throws Exception {
    Path bin = Files.createDirectories(folder.resolve("my bin"));
    Path first = Files.createSymbolicLink(bin.resolve("first"), SCRIPT);
    Path second = Files.createSymbolicLink(folder.resolve("second"), bin.relativize(first));
    Files.delete(second);
    Files.createSymbolicLink(second, folder.relativize(first));
    assertThat(end(start(second, Map.of(), "-c", "echo linked"), "").out()).isEqualTo("linked\n");
  }

  @Test
  void twoRunSideBySideAndLeaveNothingButLogs() throws Exception {
    Path own = folder.resolve("var");
    Process one = start(SCRIPT, Map.of("FAULTLINE_VAR", own.toString()));
    Process two = start(SCRIPT, Map.of("FAULTLINE_VAR", own.toString()));
    assertThat(end(two, "echo two\n").out()).isEqualTo("two\n");
    assertThat(end(one, "echo one\n").out()).isEqualTo("one\n");
    assertThat(own.resolve("run")).isEmptyDirectory();
    assertThat(own.resolve("log")).isNotEmptyDirectory();
  }

  @Test
  void anInterruptEndsItCleanly() throws Exception {
    Path own = folder.resolve("var");
    Process process =
        start(SCRIPT, Map.of("FAULTLINE_VAR", own.toString()), "-c", "echo up; sleep 600");
    assertThat(process.inputReader().readLine()).isEqualTo("up");
    // A job in the background of a script ignores SIGINT, and so do its children, for good.
    boolean ignored = interruptsAreIgnored();
    new ProcessBuilder("kill", ignored ? "-TERM" : "-INT", Long.toString(process.pid()))
        .start()
        .waitFor();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("it ends").isTrue();
    assertThat(process.exitValue()).isEqualTo(ignored ? 143 : 130);
    assertThat(own.resolve("run")).isEmptyDirectory();
  }

  private static boolean interruptsAreIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    String mask =
        Files.readString(status)
            .lines()
            .filter(line -> line.startsWith("SigIgn:"))
            .findFirst()
            .orElse("SigIgn: 0");
    int interrupt = 1 << 1;
    return (Long.parseUnsignedLong(mask.substring(mask.indexOf(':') + 1).strip(), 16) & interrupt)
        != 0;
  }

  @Test
  void whereNoJdkIsNewEnoughItSaysWhatToDo() throws Exception {
    // A copy that knows no other places than those it is told.
    Path copy = folder.resolve("faultline");
    Files.writeString(
        copy,
        Files.readString(SCRIPT)
            .replaceAll("(?m)^    (/usr|/Library|/opt|\"\\$HOME\").*\\\\$", "    \\\\")
            .replaceAll("(?m)^    /opt/homebrew.*; do$", "    ; do"));
    assertThat(copy.toFile().setExecutable(true)).isTrue();
    Path old = Files.createDirectories(folder.resolve("jdk-17/bin"));
    Files.createFile(old.resolve("java")).toFile().setExecutable(true);
    Files.writeString(folder.resolve("jdk-17/release"), "JAVA_VERSION=\"17.0.1\"\n");
    Ended ended =
        end(
            start(
                copy,
                Map.of(
                    "JAVA_HOME", folder.resolve("jdk-17").toString(),
                    "JAVA25_HOME", "",
                    "PATH", "/usr/sbin:/bin"),
                "version"),
            "");
    assertThat(ended.err()).contains("needs a JDK 25").contains("jdk-17 is 17")
        .contains("JAVA_HOME");
    assertThat(ended.status()).isEqualTo(70);
  }
}
