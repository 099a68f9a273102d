// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.device.DeviceTable;
import io.faultline.device.FileSystem;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Devices;
import java.util.List;
import java.util.Optional;

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
}
