// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A call into a driver that failed by the driver's fault. */
@Name("faultline.DriverFailure")
@Label("Driver Failure")
@Description("A call into a driver failed, or hung")
@Category("Faultline")
@StackTrace(false)
public final class DriverFailureEvent extends Event {
  private static final DriverFailureEvent PROBE = new DriverFailureEvent();

  @Label("Device") private String device = "";

  @Label("Driver") private String driver = "";

  @Label("Message") private String message = "";

  /**
   * Records one if somebody wants it.
   *
   * @param device its path
   * @param driver its name and version
   * @param message as the log has it
   */
  public static void emit(String device, String driver, String message) {
    if (Recorder.USABLE && PROBE.isEnabled()) {
      DriverFailureEvent event = new DriverFailureEvent();
      event.device = device;
      event.driver = driver;
      event.message = message;
      event.commit();
    }
  }
}
