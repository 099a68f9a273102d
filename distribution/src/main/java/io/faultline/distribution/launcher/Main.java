// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;

/** The program: starts the container, lets the console act on the command line, ends with its status. */
public final class Main {
  private static final int CANNOT_START = 70;
  private static final int CONSOLE_SECONDS = 120;

  private Main() {}

  /**
   * Runs.
   *
   * @param args a shell command and its arguments; nothing for the interactive shell
   */
  public static void main(String[] args) throws InterruptedException {
    // JLine looks for its terminal through this loader first; with the launcher's it finds none and
    // falls back to a dumb terminal without completion and history.
    Thread.currentThread().setContextClassLoader(null);
    try {
      Runtime.getRuntime().exit(run(List.of(args)));
    } catch (IOException | BundleException | InvalidSyntaxException e) {
      System.err.println("faultline: cannot start: " + e.getMessage());
      Runtime.getRuntime().exit(CANNOT_START);
    }
  }

  private static int run(List<String> words)
      throws IOException, BundleException, InvalidSyntaxException, InterruptedException {
    Home home = Home.locate();
    RunDirectory run = RunDirectory.open(home.var());
    try {
      LogFile.open(home.conf().resolve("logging.properties"), run.log());
      Map<String, String> settings =
          Settings.read(home.conf().resolve("config.properties"), values(home, run));
      Container container = Container.start(home.bundles(), settings);
      // Also on Ctrl-C: drivers are stopped and the run's folder is removed.
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    container.close();
                    run.close();
                  },
                  "faultline shutdown"));
      return console(container, run).applyAsInt(words);
    } catch (IOException | BundleException e) {
      System.err.println("faultline: the log is " + run.log());
      run.close();
      throw e;
    }
  }

  @SuppressWarnings("unchecked") // The console's bundle promises the type by its property.
  private static ToIntFunction<List<String>> console(Container container, RunDirectory run)
      throws InvalidSyntaxException, InterruptedException, IOException {
    ToIntFunction<List<String>> console =
        container.await(ToIntFunction.class, "(faultline.console=true)", CONSOLE_SECONDS);
    if (console == null) {
      throw new IOException(
          "no console came up within %d s; the log is %s".formatted(CONSOLE_SECONDS, run.log()));
    }
    return console;
  }

  private static Map<String, String> values(Home home, RunDirectory run) throws IOException {
    return Map.of(
        "faultline.home", home.root().toString(),
        "faultline.run", run.directory().toString(),
        "faultline.var", home.var().toString(),
        "faultline.available", home.available().toString(),
        "faultline.recordings", home.recordings().toString(),
        "faultline.drivers", Files.createDirectories(drivers(home, run)).toString());
  }

  /**
   * The drop-in folder: the distribution's, unless the system property {@code faultline.drivers} names
   * another, or says {@code private} for an empty one that goes when the run ends.
   */
  private static Path drivers(Home home, RunDirectory run) {
    String given = System.getProperty("faultline.drivers");
    if (given == null) {
      return home.drivers();
    }
    return given.equals("private")
        ? run.directory().resolve("drivers")
        : Path.of(given).toAbsolutePath();
  }
}
