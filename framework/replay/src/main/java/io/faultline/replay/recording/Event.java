// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

/** One line of {@code calls.strace}. */
public sealed interface Event permits ScoredEvent, OpaqueCall, SetLimit, Note {
  /** The line number, from 1; it names the event everywhere else. */
  int line();
}
