// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.Driver;
import io.faultline.core.device.Successor;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.Upgrade;
import io.faultline.kernel.UpgradeException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Gives every {@link MmapProvider} service its nodes in {@code /dev}, and takes them away when the
 * service goes, while the driver's code is still there.
 *
 * <p>A service object is kept from bind to unbind: a driver's component is delayed, and would be
 * thrown away with its data when nobody has it. A driver whose properties are malformed, or whose
 * name is taken, costs one line in the log; it is tried again when a driver goes, so that of two
 * versions the new one takes over from the old one whichever was started first.
 */
@Component(service = DriverWhiteboard.class, immediate = true)
public final class DriverWhiteboard {
  private static final long BIND_NANOS = 10_000_000_000L;

  private final KernelComponent kernel;
  private final Map<ServiceReference<MmapProvider>, DriverService> drivers =
      new ConcurrentHashMap<>();

  /** Drivers whose bundle may be updated: accesses wait for it. By bundle. */
  private final Map<Long, List<Driver>> left = new ConcurrentHashMap<>();
  private final BundleContext context;
  // Synchronous: whoever uninstalls a driver finds its areas answering when that returns.
  private final SynchronousBundleListener bundles = this::bundleChanged;

  /** A whiteboard for this kernel. */
  @Activate
  public DriverWhiteboard(@Reference KernelComponent kernel, BundleContext context) {
    this.kernel = kernel;
    this.context = context;
    context.addBundleListener(bundles);
  }

  /** No more drivers. */
  @Deactivate
  public void close() {
    context.removeBundleListener(bundles);
  }

  private void bundleChanged(BundleEvent event) {
    long bundle = event.getBundle().getBundleId();
    if (event.getType() == BundleEvent.UNINSTALLED) {
      Objects.requireNonNullElse(left.remove(bundle), List.<Driver>of())
          .forEach(Driver::endGap);
      // It will not come back; who updates a bundle uninstalls none.
      Owner owner = Owner.of(event.getBundle());
      kernel.kernel().deviceTable().forget(owner.symbolicName(), owner.version());
    } else if (event.getType() == BundleEvent.STARTED) {
      left.remove(bundle);
    }
  }

  /** {@link io.faultline.kernel.Drivers#upgrade}. */
  Upgrade upgrade(long from, long to) throws UpgradeException {
    awaitBound(to);
    Map<String, DriverService> comers = new TreeMap<>();
    ofBundle(to).forEach(driver -> {
      String name = driver.deviceName();
      if (name != null) {
        comers.put(name, driver);
      }
    });
    List<Successor> successors = new ArrayList<>();
    List<DriverService> old = new ArrayList<>();
    List<DriverService> next = new ArrayList<>();
    List<DriverService> dropped = new ArrayList<>();
    for (DriverService driver : ofBundle(from)) {
      if (!driver.isRegistered()) {
        continue;
      }
      DriverService comer = comers.get(String.valueOf(driver.deviceName()));
      Successor successor = comer == null ? null : comer.successorOf(driver);
      if (comer == null || successor == null) {
        if (driver.isInUse()) {
          throw new UpgradeException(
              UpgradeException.Step.MATCH,
              "the new version does not offer /dev/" + driver.deviceName()
                  + ", which is open or mapped; close it first, or offer it");
        }
        dropped.add(driver);
        continue;
      }
      successors.add(successor);
      old.add(driver);
      next.add(comer);
    }
    if (successors.isEmpty()) {
      throw new UpgradeException(
          UpgradeException.Step.MATCH,
          dropped.isEmpty()
              ? "bundle " + from + " serves no device"
              : "the new version offers none of the old one's devices");
    }
    DeviceTable.Replaced replaced = kernel.kernel().deviceTable().replace(successors);
    for (int i = 0; i < old.size(); i++) {
      next.get(i).takeOver(old.get(i), replaced.drivers().get(i));
    }
    dropped.forEach(DriverService::drop);
    return replaced.upgrade();
  }

  /** A service can be seen a moment before it is bound here. One that cannot be made never is. */
  private void awaitBound(long bundle) {
    long end = System.nanoTime() + BIND_NANOS;
    while (!isBound(bundle) && System.nanoTime() < end && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  private boolean isBound(long bundle) {
    try {
      return drivers.keySet().containsAll(
          context.getServiceReferences(
              MmapProvider.class, "(" + Constants.SERVICE_BUNDLEID + "=" + bundle + ")"));
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<DriverService> ofBundle(long id) {
    return drivers.entrySet().stream()
        .filter(
            entry -> entry.getKey().getProperty(Constants.SERVICE_BUNDLEID) instanceof Long bundle
                && bundle == id)
        .sorted(Map.Entry.comparingByKey())
        .map(Map.Entry::getValue)
        .toList();
  }

  @Reference(
      service = MmapProvider.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void bindDriver(ServiceReference<MmapProvider> reference, MmapProvider provider) {
    Bundle bundle = reference.getBundle();
    if (bundle == null) {
      return; // Gone already; its unbind finds nothing.
    }
    DriverService driver =
        new DriverService(
            provider,
            Owner.of(bundle),
            reference::getProperty,
            kernel.kernel().deviceTable(),
            kernel.log());
    kernel.accounts().hold(driver.owner());
    drivers.put(reference, driver);
    driver.open();
  }

  void updatedDriver(ServiceReference<MmapProvider> reference) {
    DriverService driver = drivers.get(reference);
    if (driver != null) {
      driver.update();
      retryOthers();
    }
  }

  void unbindDriver(ServiceReference<MmapProvider> reference) {
    DriverService driver = drivers.remove(reference);
    if (driver != null) {
      driver.close();
      Driver gone = driver.left();
      if (gone != null
          && reference.getProperty(Constants.SERVICE_BUNDLEID) instanceof Long bundle) {
        List<Driver> known = left.computeIfAbsent(bundle, id -> new CopyOnWriteArrayList<>());
        known.removeIf(other -> !other.isInGap());
        known.add(gone);
      }
      kernel.accounts().release(driver.owner());
      retryOthers();
    }
  }

  /** Names may be free now; the service of the highest ranking chooses first. */
  private void retryOthers() {
    drivers.entrySet().stream()
        .sorted(Map.Entry.comparingByKey(Comparator.reverseOrder()))
        .forEach(entry -> entry.getValue().retry());
  }
}
