// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.device.DeviceNumber;

/** Reads {@code MM:mm}. */
final class Devices {
  private Devices() {}

  static DeviceNumber read(LineScanner line) throws RecordingException {
    long major = line.digits("a major number in hexadecimal", 16);
    line.take(":");
    long minor = line.digits("a minor number in hexadecimal", 16);
    if (Long.compareUnsigned(major, 0xfff) > 0 || Long.compareUnsigned(minor, 0xfffff) > 0) {
      throw line.wrongLine("a device number of 12 and 20 bits");
    }
    return new DeviceNumber((int) major, (int) minor);
  }
}
