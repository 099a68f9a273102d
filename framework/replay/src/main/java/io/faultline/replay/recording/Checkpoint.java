// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

/**
 * What the kernel printed at a {@code @checkpoint} line; one character a byte.
 *
 * @param maps {@code /proc/PID/maps}
 * @param flags a line {@code START-END flag …} for each mapping
 */
public record Checkpoint(String name, String maps, String flags) {}
