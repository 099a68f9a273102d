// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

/**
 * How long calls into a driver take.
 *
 * @param calls how many there were
 * @param averageNanos of a sample of one call in 64, and of all while somebody traces
 * @param longestNanos the longest of these
 */
public record CallTimes(long calls, long averageNanos, long longestNanos) {}
