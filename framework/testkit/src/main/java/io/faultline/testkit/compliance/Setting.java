// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.KernelProfile.Overcommit;

/**
 * What kernel a history runs in.
 *
 * @param profile its limits
 * @param unplug what answers accesses while the driver is away
 */
record Setting(KernelProfile profile, UnplugPolicy unplug) {
  private static final int FEW_AREAS = 40;

  /** Where nothing is short. */
  static final Setting USUAL = new Setting(KernelProfile.LINUX_6_18, UnplugPolicy.SIGBUS);

  /** The same, with another answer while the driver is away. */
  static Setting with(UnplugPolicy unplug) {
    return new Setting(KernelProfile.LINUX_6_18, unplug);
  }

  /**
   * Where a process can have few areas, and where a fork fails that cannot have all its memory.
   *
   * @param memory in bytes
   */
  static Setting tight(long memory) {
    KernelProfile roomy = KernelProfile.LINUX_6_18;
    return new Setting(
        new KernelProfile(
            roomy.name(), roomy.taskSize(), roomy.mmapMinAddress(), roomy.lowestPlacement(),
            roomy.stackGuardGapPages(), FEW_AREAS, memory, 0, Overcommit.NEVER,
            roomy.overcommitRatio(), roomy.transparentHugePages(), roomy.protectionKeys(),
            roomy.freeHugePages()),
        UnplugPolicy.SIGBUS);
  }
}
