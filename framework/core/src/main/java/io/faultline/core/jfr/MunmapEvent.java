// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** munmap(2). */
@Name("faultline.Munmap")
@Label("Munmap")
@Description("munmap(2)")
@Category("Faultline")
@StackTrace(false)
public final class MunmapEvent extends CallEvent {
  private static final MunmapEvent PROBE = new MunmapEvent();

  @Label("Process") private int pid;

  @MemoryAddress
  @Label("Address") private long address;

  @DataAmount
  @Label("Length") private long length;

  @Label("Error") private @Nullable String error;

  /** Begins one; null while nobody records them. */
  public static @Nullable MunmapEvent start() {
    if (!Recorder.USABLE || !PROBE.isEnabled()) {
      return null;
    }
    MunmapEvent event = new MunmapEvent();
    event.begin();
    return event;
  }

  @Override
  void fill(int process, long[] arguments, long answer, @Nullable String refused) {
    pid = process;
    address = arguments[0];
    length = arguments[1];
    error = refused;
  }
}
