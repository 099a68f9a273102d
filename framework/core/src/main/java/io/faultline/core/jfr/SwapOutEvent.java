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

/** A page that is written to a swap device. */
@Name("faultline.SwapOut")
@Label("Swap Out")
@Description("A page is written to a swap device")
@Category("Faultline")
@StackTrace(false)
public final class SwapOutEvent extends Event {
  private static final SwapOutEvent PROBE = new SwapOutEvent();

  @Label("Device") private String device = "";

  @Label("Slot") private long slot;

  @Label("Pages") private int pages;

  @Label("Error") private @Nullable String error;

  /** Begins one; null while nobody records them. */
  public static @Nullable SwapOutEvent start() {
    if (!Recorder.USABLE || !PROBE.isEnabled()) {
      return null;
    }
    SwapOutEvent event = new SwapOutEvent();
    event.begin();
    return event;
  }

  /**
   * Ends it.
   *
   * @param name of the swap device
   * @param firstSlot where the first page went
   * @param count pages written at once
   * @param failed why they stay in memory; null when they are out
   */
  public void finish(String name, long firstSlot, int count, @Nullable String failed) {
    end();
    if (shouldCommit()) {
      device = name;
      slot = firstSlot;
      pages = count;
      error = failed;
      commit();
    }
  }
}
