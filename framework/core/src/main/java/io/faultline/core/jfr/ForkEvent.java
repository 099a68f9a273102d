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

/** A fork. */
@Name("faultline.Fork")
@Label("Fork")
@Description("fork(2): an address space is copied")
@Category("Faultline")
@StackTrace(false)
public final class ForkEvent extends Event {
  private static final ForkEvent PROBE = new ForkEvent();

  @Label("Process") private int pid;

  @Label("Child") private int child;

  @Label("Areas") private int areas;

  @Label("Error") private @Nullable String error;

  /** Begins one; null while nobody records them. */
  public static @Nullable ForkEvent start() {
    if (!Recorder.USABLE || !PROBE.isEnabled()) {
      return null;
    }
    ForkEvent event = new ForkEvent();
    event.begin();
    return event;
  }

  /**
   * Ends it.
   *
   * @param copied areas that the child has
   * @param refused why there is no child; null when there is one
   */
  public void finish(int parent, int childPid, int copied, @Nullable String refused) {
    end();
    if (shouldCommit()) {
      pid = parent;
      child = childPid;
      areas = copied;
      error = refused;
      commit();
    }
  }
}
