// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;
import org.jspecify.annotations.Nullable;

/** A call into a driver that took long; how long is long, the recording says. */
@Name("faultline.DriverCall")
@Label("Driver Call")
@Description("A slow call into a driver")
@Category("Faultline")
@StackTrace(false)
@Threshold("1 ms")
public final class DriverCallEvent extends Event {
  private static final DriverCallEvent PROBE = new DriverCallEvent();

  @Label("Device") private String device = "";

  @Label("Driver") private String driver = "";

  @Label("Operation") private String operation = "";

  @Label("Interrupted") private boolean interrupted;

  /** Begins one; null while nobody records them. */
  public static @Nullable DriverCallEvent start() {
    if (!Recorder.USABLE || !PROBE.isEnabled()) {
      return null;
    }
    DriverCallEvent event = new DriverCallEvent();
    event.begin();
    return event;
  }

  /**
   * Ends it.
   *
   * @param late whether it outlasted its limit and was interrupted
   */
  public void finish(String path, String name, String called, boolean late) {
    end();
    if (shouldCommit()) {
      device = path;
      driver = name;
      operation = called;
      interrupted = late;
      commit();
    }
  }
}
