// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import org.jspecify.annotations.Nullable;

/**
 * One line of {@code /proc/swaps}, with what the kernel knows beyond it.
 *
 * @param name of the device
 * @param type {@code file} or {@code partition}
 * @param slots how many pages it can hold
 * @param used how many slots are taken
 * @param priority higher is used first
 * @param reads pages read so far
 * @param writes pages written so far
 * @param failures calls that failed so far
 * @param lastFailure why the last one failed, or null
 */
public record SwapInfo(
    String name, String type, long slots, long used, int priority, long reads, long writes,
    long failures, @Nullable String lastFailure) {}
