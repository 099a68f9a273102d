// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.demo;

import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;

/**
 * The kernel's services.
 *
 * @param tasks processes
 * @param files their files
 * @param memory memory calls
 * @param faults page faults
 * @param proc /proc
 * @param devices the device table
 */
record Kernel(
    Tasks tasks,
    Files files,
    VmaService memory,
    FaultDispatcher faults,
    Proc proc,
    Devices devices) {}
