// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * What the page cache holds at one moment, in pages; {@code Cached}, {@code Dirty} and {@code
 * Writeback} of {@code /proc/meminfo}, without shared memory.
 *
 * @param cached pages of files in memory
 * @param dirty those of them that differ from what is stored
 * @param writeback those that are being written
 */
public record PageCacheCounts(long cached, long dirty, long writeback) {}
