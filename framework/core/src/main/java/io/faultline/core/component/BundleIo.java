// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.device.IoHandler;
import io.faultline.device.IoMemory;
import io.faultline.device.IoRegion;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.Set;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;

/** The I/O regions of a bundle, and the handlers of the version that gets the service. */
@Component(service = IoMemory.class, scope = ServiceScope.BUNDLE)
public final class BundleIo implements IoMemory {
  private final PageAccounts accounts;
  private final Owner owner;
  private final IoMemory regions;
  // Guarded by this object's monitor.
  private boolean closed;

  /** Those of the bundle which gets the service. */
  @Activate
  public BundleIo(@Reference KernelComponent kernel, ComponentContext context) {
    accounts = kernel.accounts();
    owner = Owner.of(context.getUsingBundle());
    accounts.hold(owner);
    regions = accounts.io(owner);
  }

  /** The bundle has let go of the service, at the latest when it stopped. */
  @Deactivate
  public void close() {
    synchronized (this) {
      closed = true;
    }
    accounts.release(owner);
  }

  @Override
  public synchronized IoRegion region(String name, int pages, IoHandler handler)
      throws ErrnoException {
    if (closed) {
      // Nobody would let go of the handler, and of its class loader.
      throw new ErrnoException(
          Errno.ENXIO, "name: " + owner + " is gone, or has let go of IoMemory; no region " + name);
    }
    return regions.region(name, pages, handler);
  }

  @Override
  public Set<String> regions() {
    return regions.regions();
  }

  @Override
  public void free(String name) {
    regions.free(name);
  }
}
