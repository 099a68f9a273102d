// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.DeviceNumber;
import io.faultline.kernel.DeviceRegistration;
import java.util.List;
import java.util.Map;

/** Which device numbers are free, and which a driver gets. Looks at the table's nodes; keeps nothing. */
final class DeviceNumbers {
  private final Map<DeviceNumber, DeviceNode> taken;

  /**
   * @param taken the nodes that are there, by number; changed by the table alone
   */
  DeviceNumbers(Map<DeviceNumber, DeviceNode> taken) {
    this.taken = taken;
  }

  /**
   * With the major that is asked for; or as the kernel chooses, downwards from 254, then from 511.
   *
   * @throws IllegalArgumentException when a number is taken, or none is free
   */
  DeviceRegistration withMajor(DeviceRegistration r) {
    int major = r.major();
    if (major == 0) {
      major = freeMajor(254, 234);
      major = major == 0 ? freeMajor(511, 384) : major;
      if (major == 0) {
        throw new IllegalArgumentException(
            "major: no number is free for " + r.name() + "; remove a driver, or give one");
      }
    }
    for (int i = 0; i < r.count(); i++) {
      DeviceNode other = taken.get(new DeviceNumber(major, r.minor() + i));
      if (other != null) {
        throw new IllegalArgumentException(
            "major, minor: " + major + ", " + (r.minor() + i) + " are taken by " + other.owner()
                + " of driver " + other.driver().name() + "; give others, or 0 as the major");
      }
    }
    return r.withMajor(major);
  }

  /** A device that comes back has its old number, where none is asked for and it is free. */
  DeviceRegistration asBefore(DeviceRegistration wanted, List<DeviceNode> left) {
    if (wanted.major() != 0 || left.isEmpty()) {
      return wanted;
    }
    int major = left.getFirst().number().major();
    for (int i = 0; i < wanted.count(); i++) {
      if (taken.containsKey(new DeviceNumber(major, wanted.minor() + i))) {
        return wanted;
      }
    }
    return wanted.withMajor(major);
  }

  private int freeMajor(int from, int to) {
    for (int major = from; major >= to; major--) {
      int candidate = major;
      if (taken.keySet().stream().noneMatch(n -> n.major() == candidate)) {
        return major;
      }
    }
    return 0;
  }
}
