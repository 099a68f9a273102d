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

/** A page fault of a processor: from the access to the page-table entry, or to the signal. */
@Name("faultline.PageFault")
@Label("Page Fault")
@Description("A page fault, handled or refused")
@Category("Faultline")
@StackTrace(false)
public final class PageFaultEvent extends Event {
  private static final PageFaultEvent PROBE = new PageFaultEvent();

  @Label("Process") private int pid;

  @MemoryAddress
  @Label("Address") private long address;

  @Label("Access") private String access = "";

  @Label("Major") private boolean major;

  @Label("Refusal") private @Nullable String refusal;

  /** Begins one; null while nobody records them. */
  public static @Nullable PageFaultEvent start() {
    if (!Recorder.USABLE || !PROBE.isEnabled()) {
      return null;
    }
    PageFaultEvent event = new PageFaultEvent();
    event.begin();
    return event;
  }

  /**
   * Ends it.
   *
   * @param how READ, WRITE or EXECUTE
   * @param refused the signal and why; null when the access went on
   */
  public void finish(
      int process, long at, String how, boolean broughtIn, @Nullable String refused) {
    end();
    if (shouldCommit()) {
      pid = process;
      address = at;
      access = how;
      major = broughtIn;
      refusal = refused;
      commit();
    }
  }
}
