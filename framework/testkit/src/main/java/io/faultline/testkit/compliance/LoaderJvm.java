// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@link LoaderCheck} in a JVM of its own that keeps nothing that is only softly reachable: there what is
 * not collected is leaked. Nobody has to start his tests with a flag for that.
 */
final class LoaderJvm {
  private static final int COLLECTED = 0;
  private static final int REACHABLE = 66;
  private static final int LONGEST_SECONDS = 300;
  private static final Duration COLLECTING = Duration.ofSeconds(10);

  private LoaderJvm() {}

  /**
   * Makes the check there. Aborts the test when no such JVM can be had.
   *
   * @return what is wrong; null when nothing is
   */
  static @Nullable String ask(Class<?> test) throws IOException, InterruptedException {
    Path said = Files.createTempFile("faultline-loader", ".txt");
    try {
      int status = run(test, said);
      if (status != COLLECTED && status != REACHABLE) {
        abort(
            "whether the class loader can be collected: a JVM of its own that was to tell ended with "
                + status + ": " + Files.readString(said, StandardCharsets.UTF_8));
      }
      return status == COLLECTED
          ? null
          : "the driver was loaded, mapped, removed and dropped, and its class loader is still"
              + " reachable after " + LoaderCheck.COLLECTIONS
              + " collections and more, also in a JVM of its own without soft references; a heap"
              + " dump shows from where";
    } finally {
      Files.deleteIfExists(said);
    }
  }

  private static int run(Class<?> test, Path said) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream().filter(LoaderJvm::isOfUse)
        .forEach(command::add);
    command.addAll(
        List.of(
            "-XX:+IgnoreUnrecognizedVMOptions", "-XX:SoftRefLRUPolicyMSPerMB=0",
            "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", LoaderJvm.class.getName(),
            test.getName()));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile());
    // In the environment there is room for a long one.
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      return process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS) ? process.exitValue() : -1;
    } finally {
      process.destroyForcibly();
    }
  }

  /** Properties and access, which a driver may need; no agent, no debugger. */
  private static boolean isOfUse(String argument) {
    return argument.startsWith("-D") || argument.startsWith("--");
  }

  /**
   * In that JVM.
   *
   * @param arguments the test's class
   */
  public static void main(String[] arguments) throws Exception {
    // JUnit's extensions are of no interest: the test makes the driver, and that is all.
    Class<?> test = Class.forName(Objects.requireNonNull(arguments[0]));
    boolean collected = new LoaderCheck(LoaderCheck.newInstance(test)).isCollected(COLLECTING);
    // A driver's thread may still run.
    Runtime.getRuntime().halt(collected ? COLLECTED : REACHABLE);
  }
}
