// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.kernel.Task;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a replay compares with its recording.
 *
 * @param name the recording
 * @param calls system calls: address, number or errno
 * @param touches page touches: ok, or the signal with its code
 * @param digests maps texts after single lines, by checksum
 * @param maps whole maps at checkpoints
 * @param flags flags of all areas at checkpoints
 * @param prefix scored events before the first divergence of results or maps
 * @param divergences the first few, in order
 * @param divergent how many there were
 * @param nanos how long it took
 * @param kept the process that was left alive, if any
 */
public record ReplayResult(
    String name,
    Score calls,
    Score touches,
    Score digests,
    Score maps,
    Score flags,
    int prefix,
    List<Divergence> divergences,
    int divergent,
    long nanos,
    @Nullable Task kept) {
  /** Copies the list. */
  public ReplayResult {
    divergences = List.copyOf(divergences);
  }

  /** Whether everything was the kernel's. */
  public boolean exact() {
    return divergent == 0
        && calls.all()
        && touches.all()
        && digests.all()
        && maps.all()
        && flags.all();
  }

  /** Scored events. */
  public int scored() {
    return calls.total() + touches.total();
  }

  /** The first divergence, or null. */
  public @Nullable Divergence first() {
    return divergences.isEmpty() ? null : divergences.getFirst();
  }
}
