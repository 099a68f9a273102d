// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** A round of reclaim. */
@Name("faultline.Reclaim")
@Label("Reclaim")
@Description("Frames are taken back")
@Category("Faultline")
@StackTrace(false)
public final class ReclaimEvent extends Event {
  private static final ReclaimEvent PROBE = new ReclaimEvent();

  @Label("Direct") private boolean direct;

  @Label("Scanned Pages") private long scanned;

  @Label("Reclaimed Pages") private long reclaimed;

  @Label("Free Pages Afterwards") private long free;

  /** Begins one; null while nobody records them. */
  public static @Nullable ReclaimEvent start() {
    if (!Recorder.USABLE || !PROBE.isEnabled()) {
      return null;
    }
    ReclaimEvent event = new ReclaimEvent();
    event.begin();
    return event;
  }

  /**
   * Ends it.
   *
   * @param forAnAllocation whether an allocation waits for it; else it runs in the background
   * @param looked pages looked at
   * @param taken pages freed
   * @param left free pages now
   */
  public void finish(boolean forAnAllocation, long looked, long taken, long left) {
    end();
    if (shouldCommit()) {
      direct = forAnAllocation;
      scanned = looked;
      reclaimed = taken;
      free = left;
      commit();
    }
  }
}
