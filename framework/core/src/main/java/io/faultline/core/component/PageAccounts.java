// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.Kernel;
import io.faultline.device.IoMemory;
import io.faultline.device.PageAllocator;
import io.faultline.kernel.DeviceRegistration;
import java.util.HashMap;
import java.util.Map;
import org.osgi.framework.Bundle;

/**
 * Knows what each bundle still has of the kernel: its {@link PageAllocator}, its drivers. When the
 * last of these is gone, frames that the bundle did not free are taken back. Not before, in whatever
 * order they go: frames of {@code remap_pfn_range} are not counted, and are in page tables until the
 * driver that mapped them is unregistered. Thread-safe.
 */
final class PageAccounts {
  private final Kernel kernel;
  private final KernelLog log;

  // Guarded by this object's monitor.
  private final Map<Owner, Integer> holds = new HashMap<>();

  /**
   * A bundle in one of its versions.
   *
   * @param symbolicName the location, where there is no symbolic name
   */
  record Owner(String symbolicName, String version) {
    static Owner of(Bundle bundle) {
      String name = bundle.getSymbolicName();
      return new Owner(
          name == null ? bundle.getLocation() : name, bundle.getVersion().toString());
    }

    /** What the kernel knows this owner by. */
    private DeviceRegistration registration() {
      return new DeviceRegistration(symbolicName, 0, 0, 1, 1, symbolicName, version);
    }

    @Override
    public String toString() {
      return symbolicName + " " + version;
    }
  }

  PageAccounts(Kernel kernel, KernelLog log) {
    this.kernel = kernel;
    this.log = log;
  }

  /** One thing more of an owner's. */
  synchronized void hold(Owner owner) {
    holds.merge(owner, 1, Integer::sum);
  }

  /** The frames of an owner, who has a hold. */
  PageAllocator pages(Owner owner) {
    return kernel.pagesFor(owner.registration());
  }

  /** The I/O regions of an owner, who has a hold. */
  IoMemory io(Owner owner) {
    return kernel.ioOf(owner.registration());
  }

  /** One thing less; each {@link #hold} is released once. */
  void release(Owner owner) {
    long leaked = drop(owner);
    if (leaked > 0) {
      log.warning(
          "bundle " + owner + " is gone and has not freed " + leaked
              + (leaked == 1 ? " page" : " pages")
              + "; taken back. Its drivers should call Page.put for each");
    }
  }

  /** Takes back with the monitor held, or a new hold's pages would be taken. */
  private synchronized long drop(Owner owner) {
    Integer left = holds.computeIfPresent(owner, (o, n) -> n > 1 ? n - 1 : null);
    if (left != null) {
      return 0;
    }
    kernel.releaseIo(owner.registration());
    return kernel.reclaimPages(owner.registration());
  }
}
