// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.device.SwapDevice;
import io.faultline.kernel.Swaps;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Switches every {@link SwapDevice} service on, and off when it goes, while the driver's code is still
 * there to bring its pages home.
 */
@Component(service = {}, immediate = true)
public final class SwapWhiteboard {
  private final KernelComponent kernel;

  /** A whiteboard for this kernel. */
  @Activate
  public SwapWhiteboard(@Reference KernelComponent kernel) {
    this.kernel = kernel;
  }

  @Reference(
      service = SwapDevice.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void bindDevice(ServiceReference<SwapDevice> reference, SwapDevice device) {
    try {
      int priority = priority(reference.getProperty(SwapDevice.PRIORITY));
      kernel.kernel().swaps().swapon(device, priority);
      kernel.log().info("Adding swap on " + reference.getProperty("component.name")
          + ". Priority:" + priority);
    } catch (ErrnoException | NumberFormatException e) {
      kernel.log().warning("swapon failed: " + e.getMessage());
    }
  }

  private static int priority(@Nullable Object given) {
    return switch (given) {
      case null -> Swaps.DEFAULT_PRIORITY;
      case Number number -> number.intValue();
      default -> Integer.parseInt(given.toString().strip());
    };
  }

  void unbindDevice(SwapDevice device) {
    long lost = kernel.kernel().swaps().remove(device);
    if (lost > 0) {
      kernel.log().warning(
          "a swap device is gone with " + lost
              + " pages on it that fit nowhere else: accesses to them get SIGBUS");
    }
  }
}
