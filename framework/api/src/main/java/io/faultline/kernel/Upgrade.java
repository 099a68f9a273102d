// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import java.util.List;

/**
 * What an upgrade did.
 *
 * @param devices paths of the devices that have a new driver
 * @param files open files that were taken over
 * @param areas areas that were taken over
 * @param pages pages that have a new owner
 * @param stateBytes length of the state that was handed over, all devices together
 * @param stallNanos how long accesses and calls had to wait
 */
public record Upgrade(
    List<String> devices, int files, int areas, int pages, long stateBytes, long stallNanos) {}
