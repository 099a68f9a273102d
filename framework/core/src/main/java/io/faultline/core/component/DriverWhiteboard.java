// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.device.MmapProvider;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
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
@Component(service = {}, immediate = true)
public final class DriverWhiteboard {
  private final KernelComponent kernel;
  private final Map<ServiceReference<MmapProvider>, DriverService> drivers =
      new ConcurrentHashMap<>();

  /** A whiteboard for this kernel. */
  @Activate
  public DriverWhiteboard(@Reference KernelComponent kernel) {
    this.kernel = kernel;
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
            kernel.kernel().devices(),
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
