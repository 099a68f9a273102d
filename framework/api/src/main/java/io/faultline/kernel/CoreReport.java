// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * What was written of a core.
 *
 * @param segments {@code PT_LOAD} headers: one an area, and one for the vsyscall page
 * @param bytes length of the file, holes included
 * @param written bytes that were really written: headers, notes and pages that are not all zeros
 */
public record CoreReport(int segments, long bytes, long written) {}
