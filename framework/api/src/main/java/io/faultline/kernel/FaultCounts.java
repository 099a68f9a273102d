// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * Totals of page faults.
 *
 * @param minor answered with a page at hand
 * @param major answered after secondary storage was read
 * @param copyOnWrite of the minor ones, those that copied a page or made one writable again
 * @param maperr SIGSEGV: no area
 * @param accerr SIGSEGV: not allowed, by area or protection key
 * @param sigbus SIGBUS
 */
public record FaultCounts(
    long minor, long major, long copyOnWrite, long maperr, long accerr, long sigbus) {}
