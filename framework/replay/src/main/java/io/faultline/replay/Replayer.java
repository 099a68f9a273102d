// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.replay.recording.Recording;

/**
 * Replays recordings on a kernel and compares. One replayer may be used by several threads at once:
 * each replay has its own process.
 */
public final class Replayer {
  private final KernelServices kernel;

  /**
   * @param kernel what the replays run on
   */
  public Replayer(KernelServices kernel) {
    this.kernel = kernel;
  }

  /**
   * Replays a recording. Never fails because of it: what the kernel throws is a divergence.
   *
   * @param recording what to replay
   * @param options which lines, and when to stop
   */
  public ReplayResult replay(Recording recording, ReplayOptions options) {
    return replay(recording, options, ReplayListener.NONE);
  }

  ReplayResult replay(Recording recording, ReplayOptions options, ReplayListener listener) {
    return new Replay(kernel, recording, options, listener).run();
  }
}
