// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.Driver;
import io.faultline.core.device.Successor;
import io.faultline.device.FileSystem;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Upgrade;
import io.faultline.kernel.UpgradeException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** The device table as a service. Thread-safe. */
public final class DeviceService implements Devices {
  private final DeviceTable devices;

  public DeviceService(DeviceTable devices) {
    this.devices = devices;
  }

  @Override
  public List<DeviceInfo> list() {
    return devices.list();
  }

  @Override
  public Optional<DeviceInfo> find(String path) {
    return devices.find(path);
  }

  @Override
  public AutoCloseable mount(
      String mountPoint, DeviceRegistration registration, FileSystem fileSystem) {
    return devices.mount(mountPoint, registration, fileSystem);
  }

  @Override
  public AutoCloseable register(DeviceRegistration registration, MmapProvider provider) {
    return devices.register(registration, provider);
  }

  @Override
  public AutoCloseable replace(
      AutoCloseable old, DeviceRegistration registration, MmapProvider provider,
      Consumer<Upgrade> done)
      throws UpgradeException {
    if (!(old instanceof Driver driver)) {
      throw new IllegalArgumentException("old: give what register returned");
    }
    DeviceTable.Replaced replaced =
        devices.replace(List.of(new Successor(driver, registration, provider)));
    done.accept(replaced.upgrade());
    return replaced.drivers().getFirst();
  }
}
