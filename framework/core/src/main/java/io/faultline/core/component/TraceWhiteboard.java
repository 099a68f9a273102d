// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.Kernel;
import io.faultline.kernel.TraceListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** Lets every {@link TraceListener} service hear what the kernel does, as long as it is there. */
@Component(service = {}, immediate = true)
public final class TraceWhiteboard {
  private final Kernel kernel;

  /** A whiteboard for this kernel. */
  @Activate
  public TraceWhiteboard(@Reference KernelComponent component) {
    kernel = component.kernel();
  }

  @Reference(
      service = TraceListener.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void bindListener(TraceListener listener) {
    kernel.addTraceListener(listener);
  }

  void unbindListener(TraceListener listener) {
    kernel.removeTraceListener(listener);
  }
}
