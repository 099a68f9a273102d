// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Thin Declarative Services components round {@link io.faultline.core.Kernel}: the only room that
 * knows OSGi, starts a thread or writes a log.
 *
 * <p>{@link io.faultline.core.component.KernelComponent} makes the kernel from its configuration;
 * the others need it and go with it. {@link io.faultline.core.component.KernelServices} publishes the
 * kernel's parts, {@link io.faultline.core.component.BundlePages} gives each bundle its {@link
 * io.faultline.device.PageAllocator}, and the whiteboards take in what other bundles publish: {@link
 * io.faultline.core.component.DriverWhiteboard} drivers, {@link
 * io.faultline.core.component.TraceWhiteboard} trace listeners.
 *
 * <p><b>Locks.</b> A {@code DriverService}'s monitor, then what {@code Devices.register} takes. No
 * lock of this room is held while a driver is called or the log written.
 */
@Capability(
    namespace = "osgi.implementation",
    name = RequireFaultline.CAPABILITY,
    version = RequireFaultline.VERSION,
    uses = {MmapProvider.class, Vma.class, Tasks.class})
@NullMarked
package io.faultline.core.component;

import io.faultline.device.MmapProvider;
import io.faultline.device.RequireFaultline;
import io.faultline.kernel.Tasks;
import io.faultline.mm.Vma;
import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Capability;
