// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.FileSystem;
import io.faultline.device.MmapProvider;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
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

  /**
   * Puts a driver in the place of another one, while its devices are open and mapped: what {@link
   * Drivers#upgrade} does for bundles, by hand and without OSGi.
   *
   * @param old what {@link #register} or this method returned; afterwards closing it does nothing
   * @param registration the new driver's nodes: the same name; with more nodes the others are added,
   *     with fewer those that are missing must neither be open nor mapped
   * @param provider the new driver; {@link io.faultline.device.HandOver} says what it is asked
   * @param done gets told what was done; may do nothing
   * @return removes the new driver when closed
   * @throws UpgradeException when a step fails: the old driver serves on
   * @throws IllegalArgumentException when {@code old} is none of this table's
   */
  AutoCloseable replace(
      AutoCloseable old, DeviceRegistration registration, MmapProvider provider,
      Consumer<Upgrade> done)
      throws UpgradeException;

  /**
   * Mounts a file system by hand, without OSGi: what the whiteboard does for {@link FileSystem}
   * services.
   *
   * @param mountPoint an absolute path without a slash at its end, not below {@code /dev}
   * @param registration names the driver and its time limit; the name is the file system's type in
   *     messages
   * @return unmounts when closed: dirty pages are written back, mappings answer SIGBUS
   * @throws IllegalArgumentException when the mount point is taken or malformed
   */
  AutoCloseable mount(String mountPoint, DeviceRegistration registration, FileSystem fileSystem);
}
