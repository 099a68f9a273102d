// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.device.DeviceMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;

/** The memory that the kernel keeps for a bundle in all its versions. */
@Component(service = DeviceMemory.class, scope = ServiceScope.BUNDLE)
public final class BundleMemory implements DeviceMemory {
  private final DeviceMemory memory;

  /** That of the bundle which gets the service. */
  @Activate
  public BundleMemory(@Reference KernelComponent kernel, ComponentContext context) {
    memory = kernel.kernel().memoryOf(Owner.of(context.getUsingBundle()).symbolicName());
  }

  @Override
  public List<Page> region(String name, int pages) throws ErrnoException {
    return memory.region(name, pages);
  }

  @Override
  public List<Page> run(String name, int order) throws ErrnoException {
    return memory.run(name, order);
  }

  @Override
  public MemorySegment segment(List<Page> pages) {
    return memory.segment(pages);
  }

  @Override
  public Set<String> regions() {
    return memory.regions();
  }

  @Override
  public void free(String name) {
    memory.free(name);
  }
}
