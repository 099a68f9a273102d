// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.harness;

import static org.ops4j.pax.exam.CoreOptions.bootDelegationPackage;
import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.streamBundle;
import static org.ops4j.pax.exam.CoreOptions.systemPackage;
import static org.ops4j.pax.exam.CoreOptions.systemProperty;

import io.faultline.distribution.launcher.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import net.bytebuddy.ByteBuddy;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.engine.JupiterTestEngine;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.platform.commons.JUnitException;
import org.junit.platform.engine.TestEngine;
import org.junit.platform.launcher.Launcher;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;
import org.ops4j.pax.exam.ExamSystem;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.TestAddress;
import org.ops4j.pax.exam.TestContainer;
import org.ops4j.pax.exam.TestProbeBuilder;
import org.ops4j.pax.exam.spi.PaxExamRuntime;
import org.ops4j.pax.tinybundles.TinyBundles;
import org.osgi.framework.Constants;

/** A Felix with the distribution's bundles, JUnit's, and the test classes of this module. */
final class TestFelix implements AutoCloseable {
  private static final String JUNIT_DRIVER = "junit5";

  private final TestContainer container;
  private final TestAddress probe;
  private final Path scratch;

  private TestFelix(TestContainer container, TestAddress probe, Path scratch) {
    this.container = container;
    this.probe = probe;
    this.scratch = scratch;
  }

  /**
   * Starts one.
   *
   * @param testClass any class of the tests; all of its module goes inside
   */
  static TestFelix start(Class<?> testClass) throws IOException {
    Path scratch = Files.createTempDirectory("faultline-itests");
    ExamSystem system = PaxExamRuntime.createTestSystem(options(scratch));
    TestContainer container = PaxExamRuntime.createContainer(system);
    container.start();
    try {
      TestProbeBuilder probe = system.createProbe();
      TestAddress address = probe.addTest(testClass);
      container.installProbe(probe.build().getStream());
      return new TestFelix(container, address, scratch);
    } catch (IOException | RuntimeException e) {
      container.stop();
      throw e;
    }
  }

  /** Runs one test inside and lets what it throws pass. */
  void run(Class<?> testClass, String uniqueId) throws Throwable {
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    container.call(new Call(probe, new Object[] {testClass.getName(), uniqueId, outcome}));
    try {
      outcome.getNow(null);
    } catch (CompletionException e) {
      throw translated(e.getCause());
    }
    if (!outcome.isDone()) {
      throw new AssertionError("the test was not found inside the container");
    }
  }

  /** JUnit out here does not know the classes of JUnit in there; an AssertionError both know. */
  private static Throwable translated(Throwable thrown) {
    return thrown.getClass().getName().equals(TestAbortedException.class.getName())
        ? new TestAbortedException(thrown.getMessage(), thrown)
        : thrown;
  }

  /** A call of the probe with the arguments of one test. */
  private record Call(TestAddress root, Object[] arguments) implements TestAddress {
    @Override
    public String identifier() {
      return root.identifier();
    }

    @Override
    public String caption() {
      return root.caption();
    }
  }

  @Override
  public void close() throws IOException {
    container.stop();
    try (Stream<Path> files = Files.walk(scratch)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private static Option[] options(Path scratch) throws IOException {
    Path home = Path.of(System.getProperty("faultline.home")).toRealPath();
    List<Option> options = new ArrayList<>();
    settings(home, scratch)
        .forEach((name, value) -> options.add(frameworkProperty(name).value(value)));
    try (Stream<Path> jars = Files.walk(home.resolve("bundle"), 2)) {
      jars.filter(f -> f.toString().endsWith(".jar")).sorted().map(TestFelix::fromHome)
          .forEach(options::add);
    }
    for (Class<?> type : List.of(
        Test.class, ParameterizedTest.class, JupiterTestEngine.class, JUnitException.class,
        TestEngine.class, Launcher.class, AssertionFailedError.class, Assertions.class,
        ByteBuddy.class)) {
      options.add(fromClassPath(type));
    }
    options.add(invoker());
    options.add(systemProperty("pax.exam.invoker").value(JUNIT_DRIVER));
    // What Pax Exam's own bundles log with; 2.x serves those that were compiled against 1.7.
    options.add(systemPackage("org.slf4j;version=1.7.36"));
    // ByteBuddy inside AssertJ reaches for it.
    options.add(bootDelegationPackage("sun.*"));
    return options.toArray(Option[]::new);
  }

  /** The distribution's own settings, but with folders of this run. Pax Exam chooses the cache. */
  private static Map<String, String> settings(Path home, Path scratch) throws IOException {
    Map<String, String> settings =
        Settings.read(
            home.resolve("conf/config.properties"),
            Map.of(
                "faultline.home", home.toString(),
                "faultline.run", scratch.toString(),
                "faultline.var", scratch.toString(),
                "faultline.available", home.resolve("available").toString(),
                "faultline.recordings", home.resolve("recordings").toString(),
                "faultline.drivers",
                Files.createDirectories(scratch.resolve("drivers")).toString()));
    settings.remove(Constants.FRAMEWORK_STORAGE);
    settings.put("felix.fileinstall.poll", "100");
    return settings;
  }

  /** The folder's name is the start level; a library is not started. */
  private static Option fromHome(Path jar) {
    String level = jar.getParent().getFileName().toString();
    var option = bundle(jar.toUri().toString());
    return level.equals("library") ? option.noStart() : option.startLevel(Integer.parseInt(level));
  }

  private static Option fromClassPath(Class<?> type) {
    return bundle(type.getProtectionDomain().getCodeSource().getLocation().toString())
        .startLevel(1);
  }

  private static Option invoker() {
    return streamBundle(
        TinyBundles.bundle()
            .symbolicName("io.faultline.itests.invoker")
            .setHeader(Constants.DYNAMICIMPORT_PACKAGE, "*")
            .addClass(Junit5Invoker.class)
            .activator(Junit5Invoker.Activator.class)
            .build(TinyBundles.rawBuilder()))
        .startLevel(2);
  }
}
