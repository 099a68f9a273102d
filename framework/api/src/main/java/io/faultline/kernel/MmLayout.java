// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * The fields of {@code mm_struct} that {@code execve} sets. Addresses in bytes.
 *
 * @param startBrk where the heap begins; also the first value of brk
 * @param startStack the stack pointer at the start
 * @param startData beginning of initialised data (counts for RLIMIT_DATA)
 * @param endData end of initialised data
 * @param mmapBase first byte above the area in which mappings are placed top-down
 * @param legacyLayout mappings are placed bottom-up (ADDR_COMPAT_LAYOUT)
 */
public record MmLayout(
    long startBrk,
    long startStack,
    long startData,
    long endData,
    long mmapBase,
    boolean legacyLayout) {}
