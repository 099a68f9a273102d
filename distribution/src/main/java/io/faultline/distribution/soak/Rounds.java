// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import static io.faultline.distribution.soak.Machine.PAGE;

import io.faultline.device.AccessMode;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.osgi.framework.Bundle;

/** Installs every driver, opens, maps and touches its devices, and uninstalls it, again and again. */
final class Rounds {
  private final Installer installer;
  private final Machine machine;
  private final Devices devices;

  Rounds(Installer installer, Machine machine, Devices devices) {
    this.installer = installer;
    this.machine = machine;
    this.devices = devices;
  }

  /** One driver's round. */
  void round(String name, byte[] jar) throws Exception {
    Bundle bundle = installer.install(name, jar);
    Installer.await(name, () -> !installer.devices(bundle).isEmpty()
        && installer.devices(bundle).stream().allMatch(DeviceInfo::present));
    Task task = machine.tasks().spawn("soak");
    try {
      Map<String, Long> mapped = new HashMap<>();
      for (DeviceInfo device : installer.devices(bundle)) {
        use(task, device.path(), mapped);
      }
      installer.uninstall(bundle);
      for (DeviceInfo left : devices.list()) {
        Long address = mapped.get(left.path());
        // Where the driver was asked for the page: a mapping of /dev/zero needs no driver.
        if (address != null && left.faults() > 0 && left.unplug() == UnplugPolicy.SIGBUS
            && isThere(task.newCpu(), address)) {
          throw new SoakFailedException(
              "soak: %s: an access after the uninstall was not refused".formatted(left.path()));
        }
      }
    } finally {
      machine.tasks().exit(task, 0);
    }
  }

  /** As far as the device lets itself be used: not all can be written or mapped. */
  private void use(Task task, String path, Map<String, Long> mapped) {
    for (int flags : List.of(Mman.MAP_SHARED, Mman.MAP_PRIVATE)) {
      try {
        int fd = machine.files().open(task, path, AccessMode.READ_WRITE);
        long address =
            machine.memory().mmap(
                task, 0, PAGE, Mman.PROT_READ | Mman.PROT_WRITE, flags, fd, 0);
        boolean unused = isThere(task.newCpu(), address);
        mapped.putIfAbsent(path, address);
      } catch (ErrnoException refused) {
        // Its way of saying so.
      }
    }
  }

  private static boolean isThere(UserMemory memory, long address) {
    try {
      byte unused = memory.getByte(address);
      return true;
    } catch (SignalException refused) {
      return false;
    }
  }
}
