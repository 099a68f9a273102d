// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.kernel.Task;
import io.faultline.replay.Divergence.Kind;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.Recording;
import io.faultline.replay.recording.ScoredEvent;
import io.faultline.replay.recording.Touch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keeps count while a replay runs. What is never reached counts as not exact. */
final class Scores {
  /** How many divergences are kept for people to look at. */
  private static final int KEPT = 20;

  private final String name;
  private final List<Divergence> divergences = new ArrayList<>();
  private int callTotal;
  private int touchTotal;
  private int digestTotal;
  private int checkpointTotal;
  private int callsExact;
  private int touchesExact;
  private int digestsExact;
  private int mapsExact;
  private int flagsExact;
  private int scored;
  private int divergent;
  private int prefix = -1;

  Scores(Recording recording, ReplayOptions options) {
    name = recording.name();
    for (Event event : recording.events()) {
      if (!options.compares(event.line())) {
        continue;
      }
      switch (event) {
        case Touch touch -> touchTotal++;
        case ScoredEvent call when call.expected() != null -> callTotal++;
        case Note.CheckpointReached checkpoint -> checkpointTotal++;
        default -> {
          // Not scored.
        }
      }
      if (recording.digests().after(event.line()) != null) {
        digestTotal++;
      }
    }
  }

  /** One more scored event is about to be compared. */
  void scored() {
    scored++;
  }

  void exact(Kind kind) {
    switch (kind) {
      case CALL -> callsExact++;
      case TOUCH -> touchesExact++;
      case DIGEST -> digestsExact++;
      case MAPS -> mapsExact++;
      case FLAGS -> flagsExact++;
      case REPLAY -> throw new IllegalArgumentException("kind: nothing is scored as " + kind);
    }
  }

  /**
   * @param before scored events before the one that diverges
   */
  void diverges(Divergence divergence, int before) {
    divergent++;
    if (keepsMore()) {
      divergences.add(divergence);
    }
    if (prefix < 0 && divergence.kind() != Kind.FLAGS) {
      prefix = before;
    }
  }

  boolean any() {
    return divergent > 0;
  }

  /** Whether a divergence of this line is wanted with all its detail. */
  boolean wantsDetail() {
    return divergences.isEmpty();
  }

  /** Whether one more divergence is kept, and not only counted. */
  boolean keepsMore() {
    return divergences.size() < KEPT;
  }

  int scoredSoFar() {
    return scored;
  }

  ReplayResult result(long nanos, @Nullable Task kept) {
    return new ReplayResult(
        name,
        new Score(callsExact, callTotal),
        new Score(touchesExact, touchTotal),
        new Score(digestsExact, digestTotal),
        new Score(mapsExact, checkpointTotal),
        new Score(flagsExact, checkpointTotal),
        prefix < 0 ? scored : prefix,
        divergences,
        divergent,
        nanos,
        kept);
  }
}
