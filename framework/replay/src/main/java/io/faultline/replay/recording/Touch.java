// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.mm.Access;

/**
 * The program read or wrote one byte.
 *
 * @param address in bytes
 */
public record Touch(int line, long address, Access access, String expected)
    implements ScoredEvent {}
