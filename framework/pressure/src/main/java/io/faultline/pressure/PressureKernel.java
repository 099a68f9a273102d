// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import io.faultline.device.PageAllocator;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;

/**
 * The kernel under pressure.
 *
 * @param tasks the process table
 * @param memory the memory calls
 * @param files the descriptors
 * @param devices the device table
 * @param proc the counters
 * @param swaps the swap devices
 * @param pages frames for the driver
 */
public record PressureKernel(
    Tasks tasks, VmaService memory, Files files, Devices devices, Proc proc, Swaps swaps,
    PageAllocator pages) {}
