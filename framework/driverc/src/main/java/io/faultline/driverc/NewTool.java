// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** {@code faultline new NAME [--package P] [--version V]}: the Maven project of a new driver. */
public final class NewTool extends ProgramTool {
  private static final String HELP = """
      Usage: faultline new NAME [--package P] [--version V]

      Makes the folder NAME: the Maven project of a driver for /dev/NAME, which builds, passes the
      compliance kit and drops into a running Faultline. The driver is yours to change.
        NAME          small letters, digits and dashes: my-disk makes the class MyDiskDriver
        --package P   its package, org.example if none is given
        --version V   its version, 1.0.0-SNAPSHOT if none is given
      """;

  private final Path home;
  private final Path archetype;
  private final Path here;

  /** The tool of the distribution that this class's jar lies in. */
  public NewTool() {
    this(
        Home.ofThisJar(), Home.ofThisJar().resolve("lib/driver/faultline-driver-archetype.jar"),
        Path.of("").toAbsolutePath());
  }

  /**
   * @param home the distribution's folder
   * @param archetype the archetype's jar
   * @param here where the project's folder goes
   */
  NewTool(Path home, Path archetype, Path here) {
    super("new", HELP);
    this.home = home;
    this.archetype = archetype;
    this.here = here;
  }

  /**
   * Runs as a program.
   *
   * @param words the command line
   */
  public static void main(String[] words) {
    runAsProgram(new NewTool(), words);
  }

  @Override
  public String name() {
    return "newdriver";
  }

  @Override
  Work parse(List<String> words) throws ComplaintException {
    NewOptions options = NewOptions.parse(words);
    return (out, err) -> {
      make(options, out);
      return true;
    };
  }

  private void make(NewOptions options, PrintWriter out) throws ComplaintException, IOException {
    Path folder = here.resolve(options.name());
    List<Path> files = Archetype.of(archetype).generate(
        folder,
        Map.of(
            "artifactId", options.name(), "groupId", options.packageName(), "package",
            options.packageName(), "version", options.version(), "faultlineHome",
            home.toString()));
    files.forEach(file -> out.println(here.relativize(file)));
    out.printf(
        "%nNext: cd %s && mvn verify%nThen: cp target/%s-%s.jar %s%n", options.name(),
        options.name(), options.version(), home.resolve("drivers/" + options.name() + ".jar"));
  }
}
