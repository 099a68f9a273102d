// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.driver;

import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.Version;

/**
 * {@code /dev/stamp}, stamped with the version of the bundle that it is in. It registers by hand,
 * without Declarative Services; {@link DriverJar} packs it. A version whose qualifier is a policy
 * declares it; {@code two} and {@code three} are numbers of devices; {@code leaks} frees nothing.
 */
public final class StampActivator implements BundleActivator {
  private static final Set<String> POLICIES = Set.of("sigbus", "wait", "zero");
  private static final Map<String, Integer> COUNTS = Map.of("two", 2, "three", 3);

  private @Nullable ServiceRegistration<MmapProvider> registration;
  private @Nullable Page page;
  private boolean leaks;

  @Override
  public void start(BundleContext context) throws ErrnoException {
    PageAllocator pages =
        context.getService(context.getServiceReference(PageAllocator.class));
    Page stamped = pages.allocate();
    page = stamped;
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put("device.name", "stamp");
    String qualifier = context.getBundle().getVersion().getQualifier();
    if (POLICIES.contains(qualifier)) {
      properties.put("device.unplug", qualifier);
    }
    if (COUNTS.containsKey(qualifier)) {
      properties.put("device.count", COUNTS.get(qualifier));
    }
    leaks = qualifier.equals("leaks");
    registration =
        context.registerService(
            MmapProvider.class,
            driver(stamped, context.getBundle().getVersion()),
            properties);
  }

  private static MmapProvider driver(Page page, Version version) {
    String stamp = "stamp " + version;
    return version.getQualifier().isEmpty()
        ? new StampDriver(page, stamp)
        : new HandStamp(page, stamp, version.getQualifier());
  }

  @Override
  public void stop(BundleContext context) {
    if (registration != null) {
      registration.unregister();
    }
    if (page != null && !leaks) {
      page.put();
    }
  }
}
