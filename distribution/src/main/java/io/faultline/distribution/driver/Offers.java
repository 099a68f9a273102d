// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import io.faultline.device.FileSystem;
import io.faultline.device.MmapProvider;
import io.faultline.device.SwapDevice;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Swaps;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandProcessor;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/** What a driver's bundle offers, and what the kernel has made of it. */
final class Offers {
  private final BundleContext context;
  private final Devices devices;
  private final @Nullable Swaps swaps;

  Offers(BundleContext context, Devices devices, @Nullable Swaps swaps) {
    this.context = context;
    this.devices = devices;
    this.swaps = swaps;
  }

  /** All that is there by now; its swap devices need not be in use yet. */
  Installed of(Bundle bundle) {
    return new Installed(
        bundle.getSymbolicName(), bundle.getVersion(), devices(bundle), swaps(bundle),
        mounts(bundle), commands(bundle));
  }

  private List<DeviceInfo> devices(Bundle bundle) {
    return devices.list().stream()
        .filter(d -> d.present() && d.driver().equals(bundle.getSymbolicName()))
        .toList();
  }

  /** Where its file systems are mounted. */
  private List<String> mounts(Bundle bundle) {
    return services(FileSystem.class, bundle).stream()
        .filter(reference -> reference.getUsingBundles() != null)
        .map(reference -> String.valueOf(reference.getProperty(FileSystem.MOUNT_POINT)))
        .toList();
  }

  private List<String> swaps(Bundle bundle) {
    return services(SwapDevice.class, bundle).stream().flatMap(this::name).toList();
  }

  /** Nothing when the device's constructor throws. */
  private Stream<String> name(ServiceReference<SwapDevice> reference) {
    SwapDevice device = context.getService(reference);
    if (device == null) {
      return Stream.empty();
    }
    try {
      return Stream.of(device.name());
    } finally {
      context.ungetService(reference);
    }
  }

  /** Commands for the shell, with their scopes. */
  private List<String> commands(Bundle bundle) {
    return servicesWithCommands(bundle).stream()
        .flatMap(reference -> Stream
            .of(reference.getProperty(CommandProcessor.COMMAND_FUNCTION))
            .flatMap(names -> names instanceof Object[] several
                ? Arrays.stream(several)
                : Stream.of(names))
            .map(name -> reference.getProperty(CommandProcessor.COMMAND_SCOPE) + ":" + name))
        .toList();
  }

  /** How many services with commands for the shell a bundle has. */
  int commandServices(Bundle bundle) {
    return servicesWithCommands(bundle).size();
  }

  /** Whether the kernel uses a swap device; it switches each on as it comes. */
  boolean inUse(String swap) {
    return swaps == null || swaps.list().stream().anyMatch(s -> s.name().equals(swap));
  }

  /** How many services for devices a bundle has; each is made by asking for it. */
  int providers(Bundle bundle) {
    int count = 0;
    for (ServiceReference<MmapProvider> reference : services(MmapProvider.class, bundle)) {
      count += context.getService(reference) == null ? 0 : 1;
      context.ungetService(reference);
    }
    return count;
  }

  private <T> Collection<ServiceReference<T>> services(Class<T> type, Bundle bundle) {
    try {
      return context.getServiceReferences(type, filter(bundle, ""));
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<ServiceReference<?>> servicesWithCommands(Bundle bundle) {
    try {
      ServiceReference<?>[] found =
          context.getServiceReferences(
              (String) null, filter(bundle, "(" + CommandProcessor.COMMAND_FUNCTION + "=*)"));
      return found == null ? List.of() : List.of(found);
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String filter(Bundle bundle, String further) {
    return "(&(" + Constants.SERVICE_BUNDLEID + "=" + bundle.getBundleId() + ")" + further + ")";
  }
}
