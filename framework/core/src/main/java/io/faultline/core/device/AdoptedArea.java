// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.device.Adoption;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An area that a driver is asked to take over, and what it answers. Good for one call. */
final class AdoptedArea implements Adoption {
  private final DeviceNode node;
  private final Area area;
  private final Thread thread = Thread.currentThread();
  private @Nullable GuardedOperations operations;
  private volatile boolean closed;

  AdoptedArea(DeviceNode node, Area area) {
    this.node = node;
    this.area = area;
  }

  private void checkOpen() {
    if (closed || Thread.currentThread() != thread) {
      throw new IllegalStateException(
          "area: good only during adopt, and on the thread that it was called on");
    }
  }

  @Override
  public Vma vma() {
    checkOpen();
    return area;
  }

  @Override
  public int index() {
    return node.index();
  }

  @Override
  public void setOperations(VmOperations attached) {
    checkOpen();
    operations = node.guard(Objects.requireNonNull(attached, "operations"));
  }

  /** What the driver attached, or null. */
  @Nullable GuardedOperations close() {
    closed = true;
    return operations;
  }
}
