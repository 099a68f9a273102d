// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Thin Declarative Services components round {@link io.faultline.core.Kernel}: the only room that
 * knows OSGi, starts a thread or writes a log.
 *
 * <p>{@link io.faultline.core.component.KernelComponent} makes the kernel from its configuration;
 * the others need it and go with it. {@link io.faultline.core.component.KernelServices} publishes the
 * kernel's parts. What is counted bundle by bundle is a service of bundle scope: {@link
 * io.faultline.core.component.BundlePages}, {@link io.faultline.core.component.BundleMemory} and {@link
 * io.faultline.core.component.BundleIo}. The whiteboards take in what other bundles publish: {@link
 * io.faultline.core.component.DriverWhiteboard} drivers of devices, {@link
 * io.faultline.core.component.MountWhiteboard} file systems, {@link
 * io.faultline.core.component.SwapWhiteboard} swap devices, {@link
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
