// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.replay.recording.Digest;

/** Hears everything that a replay produces, in order; called on the replay's thread. */
interface ReplayListener {
  /** Hears nothing. */
  ReplayListener NONE = new ReplayListener() {};

  /** The result of a call or touch. */
  default void result(int line, String value) {}

  /** The digest of maps after a line. */
  default void digest(int line, Digest digest) {}

  /** Both texts at a checkpoint. */
  default void checkpoint(String name, String maps, String flags) {}
}
