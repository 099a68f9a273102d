// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.mm.AddressSpace;
import io.faultline.core.proc.MapsText;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;

/** {@code /proc} as a service. Thread-safe. */
public final class ProcService implements Proc {
  @Override
  public String maps(Task task) {
    return MapsText.maps(space(task));
  }

  @Override
  public String vmFlags(Task task) {
    return MapsText.vmFlags(space(task));
  }

  private static AddressSpace space(Task task) {
    if (task instanceof TaskObject object) {
      return object.space();
    }
    throw new IllegalArgumentException("task: is not of this kernel");
  }
}
