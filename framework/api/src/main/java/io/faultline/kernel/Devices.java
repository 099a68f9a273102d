// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.MmapProvider;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** The device table. Thread-safe. */
@ProviderType
public interface Devices {
  /** A snapshot of all device nodes, by path. */
  List<DeviceInfo> list();

  /** The node of a path, {@code /dev/NAME}. */
  Optional<DeviceInfo> find(String path);

  /**
   * Registers a driver by hand, without OSGi: what the whiteboard does for {@link MmapProvider}
   * services.
   *
   * @param registration its nodes
   * @return removes the driver when closed
   * @throws IllegalArgumentException when a name is taken or malformed
   */
  AutoCloseable register(DeviceRegistration registration, MmapProvider provider);
}
