// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

/**
 * A run of replays that was not exact: how the {@code replay} command tells a script or a launcher,
 * after it has printed its lines.
 */
public final class ReplayDivergedException extends Exception {
  private static final long serialVersionUID = 1L;

  ReplayDivergedException(String message) {
    super(message, null, false, false);
  }
}
