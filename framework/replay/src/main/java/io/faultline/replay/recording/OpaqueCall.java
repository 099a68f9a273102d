// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

/**
 * A call whose result means nothing to the recorded address space: {@code execve}, {@code clone},
 * {@code fork} … What a fork does is said by the note behind it.
 */
public record OpaqueCall(int line, String name) implements Event {}
