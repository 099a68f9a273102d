// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * The services that the kernel core publishes, for shells, replayers, tests and tools: processes
 * ({@link io.faultline.kernel.Tasks}), their files ({@link io.faultline.kernel.Files}), the memory
 * system calls ({@link io.faultline.kernel.VmaService}), faults
 * ({@link io.faultline.kernel.FaultDispatcher}), {@code /proc}
 * ({@link io.faultline.kernel.Proc}), core dumps ({@link io.faultline.kernel.CoreDumps}), devices
 * ({@link io.faultline.kernel.Devices}), drivers that are replaced
 * ({@link io.faultline.kernel.Drivers}), swap space ({@link io.faultline.kernel.Swaps}), a live trace
 * ({@link io.faultline.kernel.TraceListener}), and the reason for every outcome
 * ({@link io.faultline.kernel.Decision}). Everything handed out is a snapshot or safe for use by
 * any thread, unless it says otherwise.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.kernel;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
