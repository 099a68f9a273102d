// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.device.PageAllocator;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;

/**
 * The services of the kernel that a replay runs on.
 *
 * @param tasks makes, forks and ends processes
 * @param memory the memory calls
 * @param faults page touches
 * @param files descriptors
 * @param proc prints maps and flags
 * @param pages frames for recorded files
 */
public record KernelServices(
    Tasks tasks,
    VmaService memory,
    FaultDispatcher faults,
    Files files,
    Proc proc,
    PageAllocator pages) {}
