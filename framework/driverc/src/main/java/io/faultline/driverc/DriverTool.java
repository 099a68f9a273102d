// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code faultline driver FILE.java… [-o DIR] [--version V]}. A {@link ToolProvider}, like javac and
 * jar: that is how the shell runs it.
 */
public final class DriverTool extends ProgramTool {
  private static final String HELP = """
      Usage: faultline driver FILE.java... [-o DIR] [--version V]

      Compiles a driver and makes its bundle. FILE.java... are all of its sources, or folders of them.
        -o DIR        where the jar goes; without it, where insmod NAME finds it. With the folder
                      drivers/ of a running Faultline the driver is installed at once.
        --version V   the bundle's version, 1.0.0 if none is given

      The jar is named after the driver's class, in small letters: Hello makes hello.jar, for insmod
      hello. The bundle's symbolic name is package and class, in small letters, the class only once:
      org.acme.Ramdisk and org.acme.ramdisk.Ramdisk are both org.acme.ramdisk.
      """;

  private final Path home;
  private final @Nullable Kit kit;

  /** The tool of the distribution that this class's jar lies in. */
  public DriverTool() {
    this(Home.ofThisJar(), null);
  }

  /**
   * @param home the distribution's folder
   * @param kit what drivers are compiled against; null for the distribution's
   */
  DriverTool(Path home, @Nullable Kit kit) {
    super("driver", HELP);
    this.home = home;
    this.kit = kit;
  }

  /**
   * Runs as a program.
   *
   * @param words the command line
   */
  public static void main(String[] words) {
    runAsProgram(new DriverTool(), words);
  }

  @Override
  public String name() {
    return "driverc";
  }

  @Override
  Work parse(List<String> words) throws ComplaintException {
    Options options = Options.parse(words);
    return (out, err) -> make(options, out, err);
  }

  private boolean make(Options options, PrintWriter out, PrintWriter err)
      throws ComplaintException, IOException {
    Kit against = kit != null ? kit : Kit.of(home.resolve("sdk"));
    Path classes = Files.createTempDirectory("faultline-driver");
    try {
      List<DriverClass> drivers = new Compiler(against, err).compile(options.sources(), classes);
      if (drivers.isEmpty()) {
        return false;
      }
      DriverClass driver = drivers.getFirst();
      Path folder = Files.createDirectories(folder(options.folder()));
      Path jar = folder.resolve(driver.moduleName() + ".jar");
      List<DeviceNodes> nodes =
          new BundleMaker(against).make(classes, driver, options.version(), jar);
      tell(driver, options.version(), nodes, jar, out);
      return true;
    } finally {
      delete(classes);
    }
  }

  private Path folder(@Nullable Path given) {
    return given != null ? given : var().resolve("available");
  }

  /** As the script and the launcher have it. */
  private Path var() {
    String given = System.getenv("FAULTLINE_VAR");
    return given != null && !given.isBlank() ? Path.of(given) : home.resolve("var");
  }

  private void tell(
      DriverClass driver, String version, List<DeviceNodes> nodes, Path jar, PrintWriter out)
      throws IOException {
    String devices =
        nodes.stream().flatMap(n -> n.paths().stream()).collect(Collectors.joining(" "));
    out.printf("%s %s: %s%n", driver.symbolicName(), version, devices);
    out.printf("%s, %,d bytes%n", shown(jar), Files.size(jar));
    Path folder = jar.toAbsolutePath().getParent();
    if (home.resolve("drivers").equals(folder)) {
      out.println("A running Faultline installs it by itself.");
    } else {
      boolean known = var().toAbsolutePath().resolve("available").normalize().equals(folder);
      out.printf(
          "In the shell: insmod %s. Or copy it to %s%n",
          known ? driver.moduleName() : shown(jar), shown(home.resolve("drivers")));
    }
  }

  /** The shorter form: from here, if it lies below. */
  private static Path shown(Path file) {
    Path here = Path.of("").toAbsolutePath();
    Path absolute = file.toAbsolutePath().normalize();
    return absolute.startsWith(here) ? here.relativize(absolute) : absolute;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
