// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.mm.Access;

/**
 * One page fault of the recent past.
 *
 * @param sequence counts all faults of the kernel, from 1
 * @param pid the process
 * @param address the faulting address in bytes
 * @param access what the process did
 * @param handler who supplied the page: {@code zero}, {@code copy}, a device's path …
 * @param result how it ended
 * @param nanos how long it took
 */
public record FaultRecord(
    long sequence,
    int pid,
    long address,
    Access access,
    String handler,
    FaultResult result,
    long nanos) {}
