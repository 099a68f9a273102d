// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

/**
 * @param address where the mapping is
 * @param populate what to fault in afterwards
 */
public record MmapResult(long address, PopulateRange populate) {}
