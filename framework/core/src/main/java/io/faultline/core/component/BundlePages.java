// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;

/** The frames of the bundle that gets the service. */
@Component(service = PageAllocator.class, scope = ServiceScope.BUNDLE)
public final class BundlePages implements PageAllocator {
  private final PageAccounts accounts;
  private final Owner owner;
  private final PageAllocator pages;

  /** Opens the bundle's account. */
  @Activate
  public BundlePages(@Reference KernelComponent kernel, ComponentContext context) {
    accounts = kernel.accounts();
    owner = Owner.of(context.getUsingBundle());
    accounts.hold(owner);
    pages = accounts.pages(owner);
  }

  /** The bundle has let go of the service, at the latest when it stopped. */
  @Deactivate
  public void close() {
    accounts.release(owner);
  }

  @Override
  public Page allocate() throws ErrnoException {
    return pages.allocate();
  }

  @Override
  public List<Page> allocate(int order) throws ErrnoException {
    return pages.allocate(order);
  }

  @Override
  public MemorySegment segment(List<Page> run) {
    return pages.segment(run);
  }

  @Override
  public long allocated() {
    return pages.allocated();
  }
}
