// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.SwapDevice;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.itests.harness.PrivateRedis;
import io.faultline.kernel.Swaps;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The swap devices that are shipped, each in its bundle with its libraries, configured. */
@InFelix
class SwapBundlesIT {
  /** Installs it, keeps pages with it, brings them back, and removes it. */
  private static void keepsPages(
      BundleContext context,
      ConfigurationAdmin configurations,
      String driver,
      String name,
      Map<String, ?> properties)
      throws Exception {
    String pid = "io.faultline.driver." + driver.replace("-", "");
    Configuration configuration = configurations.getConfiguration(pid, "?");
    Dictionary<String, Object> dictionary = new Hashtable<>(properties);
    configuration.update(dictionary);
    Path jar = Path.of(context.getProperty("faultline.available"), driver + ".jar");
    Bundle bundle = context.installBundle(jar.toUri().toString());
    try {
      bundle.start();
      String own = "(service.bundleid=" + bundle.getBundleId() + ")";
      Eventually.holds(driver + " registers its device", () -> find(context, own) != null);
      ServiceReference<SwapDevice> reference = find(context, own);
      SwapDevice device = context.getService(reference);
      assertThat(device.name()).isEqualTo(name);
      assertThat(reference.getProperty(SwapDevice.PRIORITY)).isEqualTo(7);
      takeFromTheKernel(context, name);
      exchange(device);
      context.ungetService(reference);
    } finally {
      bundle.uninstall();
      configuration.delete();
    }
    assertThat(context.getServiceReferences(SwapDevice.class, null)).isEmpty();
  }

  private static ServiceReference<SwapDevice> find(BundleContext context, String filter) {
    try {
      return context.getServiceReferences(SwapDevice.class, filter).stream().findAny().orElse(null);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** From then on the device is the test's alone. */
  private static void takeFromTheKernel(BundleContext context, String name) throws Exception {
    ServiceReference<Swaps> reference = context.getServiceReference(Swaps.class);
    if (reference != null) {
      Swaps swaps = context.getService(reference);
      Eventually.holds("the kernel uses " + name,
          () -> swaps.list().stream().anyMatch(s -> s.name().equals(name)));
      swaps.swapoff(name);
      context.ungetService(reference);
    }
  }

  private static void exchange(SwapDevice device) throws IOException {
    device.swapon();
    long[] slots = {0, 1, 2, 100, device.slots() - 1};
    try (Arena arena = Arena.ofShared()) {
      MemorySegment[] pages = new MemorySegment[slots.length];
      MemorySegment[] read = new MemorySegment[slots.length];
      for (int i = 0; i < slots.length; i++) {
        pages[i] = arena.allocate(4096);
        read[i] = arena.allocate(4096);
        pages[i].setString(2000, "page " + i);
      }
      device.write(slots, pages);
      device.read(slots, read);
      for (int i = 0; i < slots.length; i++) {
        assertThat(read[i].mismatch(pages[i])).as("page %d", i).isEqualTo(-1);
      }
    } finally {
      device.swapoff();
    }
  }

  @Test
  void aFile(BundleContext context, ConfigurationAdmin configurations) throws Exception {
    // Or File Install might read what comes along after this test has said something else.
    Eventually.holds(
        "the .cfg that comes along is read",
        () -> isConfigured(configurations, "io.faultline.driver.swapfile"));
    Path file = Path.of(context.getProperty("faultline.run"), "pages");
    keepsPages(context, configurations, "swap-file", file.toString(),
        Map.of("path", file.toString(), "size.bytes", 1L << 20, "swap.priority", 7));
    assertThat(file).doesNotExist();
  }

  @Test
  void compressedMemory(BundleContext context, ConfigurationAdmin configurations)
      throws Exception {
    keepsPages(context, configurations, "swap-zram", "/dev/zram7",
        Map.of("name", "/dev/zram7", "size.bytes", "1048576", "swap.priority", 7));
  }

  @Test
  void aRedisServer(BundleContext context, ConfigurationAdmin configurations) throws Exception {
    try (PrivateRedis server = PrivateRedis.start()) {
      keepsPages(context, configurations, "swap-redis", server.uri() + "/it",
          Map.of("uris", server.uri(), "prefix", "it", "size.bytes", 1L << 20,
              "swap.priority", 7));
    }
  }

  private static boolean isConfigured(ConfigurationAdmin configurations, String pid) {
    try {
      return configurations.listConfigurations("(service.pid=" + pid + ")") != null;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
