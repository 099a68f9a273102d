// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.MmapProvider;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The nodes behind files that bring their own provider: one for each provider and file system, as
 * long as a file of it is open. Refers to no provider itself.
 */
final class FileSystems {
  /** How long a call into a file system may take, in milliseconds. */
  static final int TIMEOUT_MILLIS = 2000;

  /** The files that have no provider at all: sockets, directories. */
  private static final MmapProvider NOTHING = new MmapProvider() {};

  private final DeviceTable table;
  private final Kernel kernel;
  private final List<WeakReference<DeviceNode>> nodes = new ArrayList<>();

  FileSystems(DeviceTable table, Kernel kernel) {
    this.table = table;
    this.kernel = kernel;
  }

  synchronized DeviceNode node(@Nullable MmapProvider provider, String fileSystem) {
    MmapProvider target = provider == null ? NOTHING : provider;
    nodes.removeIf(reference -> reference.get() == null);
    for (WeakReference<DeviceNode> reference : nodes) {
      DeviceNode node = reference.get();
      if (node != null && node.owner().equals(fileSystem)
          && node.driver().lease().orNull() == target) {
        return node;
      }
    }
    Driver driver = table.create(fileSystem, target);
    DeviceNode node = new DeviceNode(kernel, driver, fileSystem, 0, null);
    driver.nodes().add(node);
    nodes.add(new WeakReference<>(node));
    return node;
  }
}
