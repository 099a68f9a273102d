// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** The JDK's compiler, with the rules for drivers on top. */
final class Compiler {
  /** The same warnings as for Faultline's own sources. */
  private static final List<String> OPTIONS =
      List.of(
          "--release", "25", "-proc:none", "-parameters",
          "-Xlint:all,-processing,-serial,-classfile,-path,-restricted");

  private static final String NO_SUCH_PACKAGE = "compiler.err.doesnt.exist";
  private static final Pattern DOTTED_NAME = Pattern.compile("[A-Za-z_]\\w*(\\.[A-Za-z_]\\w*)+");

  private final Kit kit;
  private final PrintWriter err;

  /**
   * @param kit what the drivers are compiled against
   * @param err takes errors and warnings, as javac writes them
   */
  Compiler(Kit kit, PrintWriter err) {
    this.kit = kit;
    this.err = err;
  }

  /**
   * Compiles.
   *
   * @param classes an empty folder for the class files
   * @return the drivers among the classes; none when something was wrong, which has been printed
   * @throws ComplaintException when there is no driver among them, or no compiler
   */
  List<DriverClass> compile(List<Path> sources, Path classes)
      throws ComplaintException, IOException {
    JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
    if (javac == null) {
      throw new ComplaintException(
          "%s has no compiler: it is a JRE; point JAVA_HOME at a JDK 25"
              .formatted(System.getProperty("java.home")));
    }
    try (StandardJavaFileManager files =
        javac.getStandardFileManager(null, Locale.ENGLISH, StandardCharsets.UTF_8)) {
      List<String> options = options(classes);
      Optional<List<DriverClass>> drivers = look(javac, files, options, sources);
      return drivers.isPresent()
          && javac.getTask(err, files, null, options, null,
              files.getJavaFileObjectsFromPaths(sources)).call()
                  ? drivers.get()
                  : List.of();
    }
  }

  /**
   * Looks before the compiler proper does: for what it would say less well, or not at all. Its own
   * errors are left to it, since it writes them best.
   *
   * @return the drivers as far as they can be told; nothing when the sources were found wanting and it
   *     was said
   */
  private Optional<List<DriverClass>> look(
      JavaCompiler javac, StandardJavaFileManager files, List<String> options, List<Path> sources)
      throws ComplaintException, IOException {
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    JavacTask task =
        (JavacTask) javac.getTask(
            err, files, found, options, null, files.getJavaFileObjectsFromPaths(sources));
    List<CompilationUnitTree> units = new ArrayList<>();
    task.parse().forEach(units::add);
    task.analyze();
    List<Diagnostic<? extends JavaFileObject>> missing =
        found.getDiagnostics().stream().filter(d -> NO_SUCH_PACKAGE.equals(d.getCode())).toList();
    if (!missing.isEmpty()) {
      print(missing);
      return Optional.empty();
    }
    if (!errors(found).isEmpty()) {
      return Optional.of(List.of());
    }
    List<DriverClass> drivers = DriverRules.check(task, units);
    print(errors(found));
    return errors(found).isEmpty() ? Optional.of(drivers) : Optional.empty();
  }

  private List<String> options(Path classes) {
    List<String> options = new ArrayList<>(OPTIONS);
    String jars =
        kit.jars().stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    options.addAll(List.of("-classpath", jars, "-d", classes.toString()));
    return options;
  }

  private static List<Diagnostic<? extends JavaFileObject>> errors(
      DiagnosticCollector<JavaFileObject> found) {
    return found.getDiagnostics().stream()
        .filter(d -> d.getKind() == Diagnostic.Kind.ERROR)
        .toList();
  }

  private void print(List<Diagnostic<? extends JavaFileObject>> errors) {
    errors.forEach(d -> err.println(text(d)));
    if (!errors.isEmpty()) {
      err.println(errors.size() == 1 ? "1 error" : errors.size() + " errors");
    }
  }

  private static String text(Diagnostic<?> diagnostic) {
    // In whatever language javac speaks here: the only words of ASCII with a dot are the package.
    String message = diagnostic.getMessage(null);
    Matcher name = DOTTED_NAME.matcher(message);
    return NO_SUCH_PACKAGE.equals(diagnostic.getCode()) && name.find()
        ? diagnostic.toString().replace(message, unknownPackage(name.group()))
        : diagnostic.toString();
  }

  private static String unknownPackage(String name) {
    String why =
        name.startsWith("io.faultline.")
            ? "is Faultline's own and not exported"
            : "is neither here nor in a running Faultline";
    return name + " " + why + ": use io.faultline.mm, .device and .kernel, org.osgi, the JDK, or"
        + " sources that you name too";
  }
}
