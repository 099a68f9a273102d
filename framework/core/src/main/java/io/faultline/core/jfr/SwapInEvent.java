// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** A page that comes back from a swap device. */
@Name("faultline.SwapIn")
@Label("Swap In")
@Description("A page comes back from a swap device")
@Category("Faultline")
@StackTrace(false)
public final class SwapInEvent extends Event {
  private static final SwapInEvent PROBE = new SwapInEvent();

  @Label("Process") private int pid;

  @MemoryAddress
  @Label("Address") private long address;

  @Label("Device") private String device = "";

  @Label("Slot") private long slot;

  @Label("Error") private @Nullable String error;

  /** Begins one; null while nobody records them. */
  public static @Nullable SwapInEvent start() {
    if (!Recorder.USABLE || !PROBE.isEnabled()) {
      return null;
    }
    SwapInEvent event = new SwapInEvent();
    event.begin();
    return event;
  }

  /**
   * Ends it.
   *
   * @param process whose access wants it; 0 for none
   * @param at where it wants it; 0 for nowhere
   * @param name of the swap device
   * @param from where the page was
   * @param failed why it cannot be had; null when it is there
   */
  public void finish(int process, long at, String name, long from, @Nullable String failed) {
    end();
    if (shouldCommit()) {
      pid = process;
      address = at;
      device = name;
      slot = from;
      error = failed;
      commit();
    }
  }
}
