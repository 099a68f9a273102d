// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Replaces drivers whose bundles are there, brings quarantined ones back, and knows what those have left
 * that went. Thread-safe.
 */
@ProviderType
public interface Drivers {
  /**
   * Puts one version of a driver in the place of another: all devices that both have, or none. A device
   * that the new version does not have goes, and must neither be open nor mapped; one that the old
   * version did not have comes. Both versions' bundles are started; the new one's services wait, since
   * the devices' names are taken. Afterwards the old bundle can be stopped and nobody notices.
   *
   * <p>Returns when it is done. One upgrade is under way at a time, others wait. In a
   * driver's callback it is refused.
   *
   * @param from the old version's bundle, its {@code Bundle.getBundleId()}
   * @param to the new version's
   * @throws UpgradeException when a step fails: the old version serves on
   */
  Upgrade upgrade(long from, long to) throws UpgradeException;

  /**
   * Brings the quarantined devices of a driver back: errors are counted from 0 again.
   *
   * @param name a device's path or a driver's symbolic name
   * @return how many devices came back
   */
  int restore(String name);

  /**
   * What is kept for drivers that are not there, by device: what they saved when their bundle was
   * stopped, until it is started again, and regions of their {@link io.faultline.device.DeviceMemory}.
   * Uninstalling a bundle frees what its version saved.
   */
  List<KeptMemory> kept();

  /**
   * Frees what is kept for drivers that are not there.
   *
   * @param name a device's path, or a driver's symbolic name for all that is kept for it
   * @return how many states and regions went
   */
  int forget(String name);
}
