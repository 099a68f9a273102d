// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import org.junit.jupiter.api.Test;

/** The kernel core as a bundle. */
@InFelix
class KernelIT {
  @Test
  void theCoreStartsAndPublishesItsServices(
      Tasks tasks, Files files, VmaService calls, FaultDispatcher faults, Proc proc,
      Devices devices) {
    Task task = tasks.spawn("first");
    assertThat(proc.maps(task)).contains("[stack]");
    assertThat(devices.list()).isEmpty();
    tasks.exit(task, 0);
    assertThat(task.end()).isEqualTo("exited 0");
  }
}
