// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.util.tracker.ServiceTracker;

/** The OSGi framework with the distribution's bundles in it. */
final class Container implements AutoCloseable {
  /** Name of the folder whose bundles are there for their packages and are not started. */
  private static final String LIBRARY = "library";

  /** Bundles stop at once, on a machine that is not busy. */
  private static final int STOP_SECONDS = 60;

  private final Framework framework;
  private final List<Bundle> toStart = new ArrayList<>();

  private Container(Framework framework) {
    this.framework = framework;
  }

  /**
   * Starts the framework and everything in {@code bundles/N} on start level N, lowest first, and
   * waits until all of it runs. What lies in {@code bundles/library} is installed only.
   *
   * @param settings the framework's properties
   * @throws BundleException when a bundle cannot be installed or does not become active; the message
   *     names each of them and why
   */
  static Container start(Path bundles, Map<String, String> settings)
      throws BundleException, IOException, InterruptedException {
    Framework framework =
        ServiceLoader.load(FrameworkFactory.class, Container.class.getClassLoader())
            .findFirst()
            .orElseThrow(() -> new IOException("there is no OSGi framework on the class path"))
            .newFramework(settings);
    framework.init();
    Container container = new Container(framework);
    try {
      container.start(bundles);
      return container;
    } catch (BundleException | IOException | InterruptedException e) {
      container.close();
      throw e;
    }
  }

  private void start(Path bundles) throws BundleException, IOException, InterruptedException {
    int top = install(bundles);
    Failures failures = new Failures();
    framework.getBundleContext().addFrameworkListener(failures);
    framework.start();
    raiseStartLevel(top);
    requireActive(failures);
  }

  /** Installs the jars where they lie, without a copy; answers the highest start level. */
  private int install(Path bundles) throws BundleException, IOException {
    BundleContext context = framework.getBundleContext();
    int top = 1;
    for (Path folder : list(bundles)) {
      String name = folder.getFileName().toString();
      boolean library = name.equals(LIBRARY);
      int level = library ? 1 : startLevel(folder);
      top = Math.max(top, level);
      for (Path jar : list(folder)) {
        Bundle bundle = context.installBundle("reference:" + jar.toUri());
        bundle.adapt(BundleStartLevel.class).setStartLevel(level);
        if (!library && !isFragment(bundle)) {
          toStart.add(bundle);
          bundle.start(Bundle.START_ACTIVATION_POLICY);
        }
      }
    }
    return top;
  }

  private static int startLevel(Path folder) throws IOException {
    try {
      return Integer.parseInt(folder.getFileName().toString());
    } catch (NumberFormatException e) {
      throw new IOException(folder + " is neither a start level nor " + LIBRARY, e);
    }
  }

  private void raiseStartLevel(int level) throws InterruptedException {
    CountDownLatch reached = new CountDownLatch(1);
    framework
        .adapt(FrameworkStartLevel.class)
        .setStartLevel(
            level,
            event -> {
              if (event.getType() == FrameworkEvent.STARTLEVEL_CHANGED) {
                reached.countDown();
              }
            });
    reached.await();
  }

  private void requireActive(Failures failures) throws BundleException {
    List<String> broken = new ArrayList<>();
    for (Bundle bundle : toStart) {
      boolean lazy = bundle.getState() == Bundle.STARTING && isLazy(bundle);
      if (bundle.getState() != Bundle.ACTIVE && !lazy) {
        broken.add(bundle.getSymbolicName() + ": " + failures.of(bundle));
      }
    }
    if (!broken.isEmpty()) {
      throw new BundleException("bundles that did not start:\n  " + String.join("\n  ", broken));
    }
  }

  /**
   * Waits for a service.
   *
   * @param filter its properties, as an OSGi filter
   * @return the service, or null when none came in time
   */
  <T> @Nullable T await(Class<T> type, String filter, int seconds)
      throws InvalidSyntaxException, InterruptedException {
    BundleContext context = framework.getBundleContext();
    String both = "(&(" + Constants.OBJECTCLASS + "=" + type.getName() + ")" + filter + ")";
    ServiceTracker<T, T> tracker = new ServiceTracker<>(context, context.createFilter(both), null);
    tracker.open();
    // Not closed: the service is used until the framework stops.
    return tracker.waitForService(TimeUnit.SECONDS.toMillis(seconds));
  }

  /** Stops everything, top level first. Does nothing the second time. */
  @Override
  public void close() {
    try {
      framework.stop();
      if (framework.waitForStop(TimeUnit.SECONDS.toMillis(STOP_SECONDS)).getType()
          == FrameworkEvent.WAIT_TIMEDOUT) {
        System.err.println("faultline: some bundle did not stop within " + STOP_SECONDS + " s");
      }
    } catch (BundleException e) {
      System.err.println("faultline: cannot stop the framework: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> !f.getFileName().toString().startsWith(".")).sorted().toList();
    }
  }

  private static boolean isFragment(Bundle bundle) {
    return (bundle.adapt(BundleRevision.class).getTypes() & BundleRevision.TYPE_FRAGMENT) != 0;
  }

  private static boolean isLazy(Bundle bundle) {
    return bundle.getHeaders().get(Constants.BUNDLE_ACTIVATIONPOLICY) != null;
  }
}
