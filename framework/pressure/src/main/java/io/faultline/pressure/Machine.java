// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import io.faultline.device.PageAllocator;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * The container's kernel, booted with as much memory as a run wants, and the bundles of its swap
 * devices. Closing it removes those and boots the machine that was there before.
 */
final class Machine implements AutoCloseable {
  private static final String KERNEL = "io.faultline.kernel";
  private static final String MEMORY = "memory.bytes";
  private static final long PATIENCE_NANOS = 120_000_000_000L;
  private static final long BETWEEN_LOOKS_MILLIS = 10;
  /** Swap space per byte of the working set. */
  private static final int SWAP_FACTOR = 2;

  private final BundleContext context;
  private final ConfigurationAdmin configurations;
  private final List<AutoCloseable> undo = new ArrayList<>();
  private long youngerThan = -1;

  private Machine(BundleContext context, ConfigurationAdmin configurations) {
    this.context = context;
    this.configurations = configurations;
  }

  /**
   * Boots.
   *
   * @throws PressureException when processes run, or something does not come up; nothing has changed
   *     then
   */
  static Machine boot(
      BundleContext context, ConfigurationAdmin configurations, PressureArguments arguments)
      throws PressureException, InterruptedException {
    Machine machine = new Machine(context, configurations);
    try {
      machine.boot(arguments);
      return machine;
    } catch (PressureException | InterruptedException e) {
      machine.close();
      throw e;
    } catch (IOException | BundleException e) {
      machine.close();
      throw new PressureException("pressure: " + e.getMessage());
    }
  }

  private void boot(PressureArguments arguments)
      throws PressureException, InterruptedException, IOException, BundleException {
    Tasks tasks = service(Tasks.class, -1);
    if (!tasks.list().isEmpty()) {
      throw new PressureException(
          "pressure: it boots a machine of its own, and " + tasks.list().size()
              + " processes run on this one; end them, or run it from outside: faultline pressure");
    }
    if (!service(Swaps.class, -1).list().isEmpty()) {
      throw new PressureException(
          "pressure: swap devices are in use already; rmmod their drivers first");
    }
    long last = newestService();
    Map<String, Object> memory = Map.of(MEMORY, arguments.memory());
    configure(KERNEL, memory);
    // All services of the new kernel are younger than any that was there.
    service(Tasks.class, last);
    long size = arguments.workingSet() * Mman.PAGE_SIZE * SWAP_FACTOR;
    for (String name : arguments.swap()) {
      install(name, size, arguments);
    }
    Swaps swaps = service(Swaps.class, last);
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (swaps.list().size() < arguments.swap().size()) {
      if (System.nanoTime() > end) {
        throw new PressureException(
            "pressure: of the swap devices " + arguments.swap() + " only " + swaps.list()
                + " came up; the log says why");
      }
      Thread.sleep(BETWEEN_LOOKS_MILLIS);
    }
    youngerThan = last;
  }

  private void install(String name, long size, PressureArguments arguments)
      throws PressureException, InterruptedException, IOException, BundleException {
    String uri = arguments.redis();
    if (name.equals("redis") && uri.isEmpty()) {
      PrivateRedis redis = PrivateRedis.start();
      undo.add(redis);
      uri = redis.uri();
    }
    Map<String, Object> properties =
        name.equals("redis")
            ? Map.of("size.bytes", size, "uris", uri)
            : Map.of("size.bytes", size);
    configure("io.faultline.driver.swap" + name, properties);
    String folder = context.getProperty("faultline.available");
    if (folder == null) {
      throw new PressureException("pressure: the property faultline.available is not set");
    }
    Path jar = Path.of(folder, "swap-" + name + ".jar");
    Bundle bundle = context.installBundle(jar.toUri().toString());
    undo.add(bundle::uninstall);
    bundle.start();
  }

  private void configure(String pid, Map<String, Object> properties) throws IOException {
    Configuration configuration = configurations.getConfiguration(pid, "?");
    Dictionary<String, Object> before = configuration.getProperties();
    Dictionary<String, Object> after = new Hashtable<>();
    if (before != null) {
      before.keys().asIterator().forEachRemaining(key -> after.put(key, before.get(key)));
    }
    properties.forEach(after::put);
    configuration.update(after);
    undo.add(() -> restore(configuration, before));
  }

  private static void restore(
      Configuration configuration, @Nullable Dictionary<String, Object> before)
      throws IOException {
    if (before == null) {
      configuration.delete();
    } else {
      configuration.update(before);
    }
  }

  private long newestService() {
    try {
      long newest = 0;
      ServiceReference<?>[] all = context.getAllServiceReferences(null, null);
      for (ServiceReference<?> reference : all == null ? new ServiceReference<?>[0] : all) {
        newest = Math.max(newest, (Long) reference.getProperty(Constants.SERVICE_ID));
      }
      return newest;
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The service of a type that is younger than a number; waits for it. */
  private <S> S service(Class<S> type, long youngerThan)
      throws PressureException, InterruptedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (true) {
      ServiceReference<S> reference = context.getServiceReference(type);
      if (reference != null && (Long) reference.getProperty(Constants.SERVICE_ID) > youngerThan) {
        S service = context.getService(reference);
        if (service != null) {
          return service;
        }
      }
      if (System.nanoTime() > end) {
        throw new PressureException(
            "pressure: the kernel has not come up: there is no " + type.getSimpleName()
                + "; the log says why");
      }
      Thread.sleep(BETWEEN_LOOKS_MILLIS);
    }
  }

  /** Its services. */
  PressureKernel kernel() throws PressureException, InterruptedException {
    return new PressureKernel(
        service(Tasks.class, youngerThan), service(VmaService.class, youngerThan),
        service(Files.class, youngerThan), service(Devices.class, youngerThan),
        service(Proc.class, youngerThan), service(Swaps.class, youngerThan),
        service(PageAllocator.class, youngerThan));
  }

  @Override
  public void close() throws PressureException {
    PressureException failure = null;
    for (AutoCloseable one : undo.reversed()) {
      try {
        one.close();
      } catch (Exception e) {
        failure = new PressureException("pressure: cannot clean up: " + e);
      }
    }
    undo.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
