// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.Kernel;
import io.faultline.kernel.CoreDumps;
import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import java.util.ArrayList;
import java.util.List;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Publishes the kernel's parts, each under its own interface. The parts themselves, without a
 * component round each: a fault should not take a detour.
 */
@Component(service = {}, immediate = true)
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.faultline.kernel.Devices\"",
    effective = "active",
    uses = Devices.class)
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.faultline.kernel.Files\"",
    effective = "active",
    uses = Files.class)
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.faultline.kernel.Proc\"",
    effective = "active",
    uses = Proc.class)
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.faultline.kernel.Swaps\"",
    effective = "active",
    uses = Swaps.class)
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.faultline.kernel.CoreDumps\"",
    effective = "active",
    uses = CoreDumps.class)
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.faultline.kernel.FaultDispatcher\"",
    effective = "active",
    uses = FaultDispatcher.class)
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.faultline.kernel.VmaService\"",
    effective = "active",
    uses = VmaService.class)
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.faultline.kernel.Tasks\"",
    effective = "active",
    uses = Tasks.class)
public final class KernelServices {
  private final List<ServiceRegistration<?>> registrations = new ArrayList<>();

  /** Publishes. */
  @Activate
  public KernelServices(@Reference KernelComponent component, BundleContext context) {
    Kernel kernel = component.kernel();
    publish(context, Devices.class, kernel.devices());
    publish(context, Files.class, kernel.files());
    publish(context, Proc.class, kernel.proc());
    publish(context, CoreDumps.class, kernel.cores());
    publish(context, Swaps.class, kernel.swaps());
    publish(context, FaultDispatcher.class, kernel.faults());
    publish(context, VmaService.class, kernel.calls());
    publish(context, Tasks.class, kernel.tasks());
  }

  private <S> void publish(BundleContext context, Class<S> type, S service) {
    registrations.add(context.registerService(type, service, null));
  }

  /** Takes them back, the last one first. */
  @Deactivate
  public void close() {
    registrations.reversed().forEach(ServiceRegistration::unregister);
  }
}
