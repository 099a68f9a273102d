// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A process that was killed because memory ran out. */
@Name("faultline.OomKill")
@Label("OOM Kill")
@Description("Memory ran out and a process was killed")
@Category("Faultline")
@StackTrace(false)
public final class OomKillEvent extends Event {
  private static final OomKillEvent PROBE = new OomKillEvent();

  @Label("Process") private int pid;

  @Label("Command") private String name = "";

  @Label("Badness") private long badness;

  @Label("Resident Pages") private long resident;

  @Label("Swapped Pages") private long swapped;

  /**
   * Records one if somebody wants it.
   *
   * @param pid the victim
   * @param name its command
   * @param badness Linux's points, in pages
   * @param resident its pages in memory
   * @param swapped its pages in swap
   */
  public static void emit(int pid, String name, long badness, long resident, long swapped) {
    if (Recorder.USABLE && PROBE.isEnabled()) {
      OomKillEvent event = new OomKillEvent();
      event.pid = pid;
      event.name = name;
      event.badness = badness;
      event.resident = resident;
      event.swapped = swapped;
      event.commit();
    }
  }
}
