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

/** mmap(2). */
@Name("faultline.Mmap")
@Label("Mmap")
@Description("mmap(2): a new mapping")
@Category("Faultline")
@StackTrace(false)
public final class MmapEvent extends CallEvent {
  private static final MmapEvent PROBE = new MmapEvent();

  @Label("Process") private int pid;

  @MemoryAddress
  @Label("Address") private long address;

  @DataAmount
  @Label("Length") private long length;

  @Label("Protection") private int protection;

  @Label("Flags") private int flags;

  @Label("Descriptor") private int descriptor;

  @Label("Offset") private long offset;

  @MemoryAddress
  @Label("Result") private long result;

  @Label("Error") private @Nullable String error;

  /** Begins one; null while nobody records them. */
  public static @Nullable MmapEvent start() {
    if (!Recorder.USABLE || !PROBE.isEnabled()) {
      return null;
    }
    MmapEvent event = new MmapEvent();
    event.begin();
    return event;
  }

  @Override
  void fill(int process, long[] arguments, long answer, @Nullable String refused) {
    pid = process;
    address = arguments[0];
    length = arguments[1];
    protection = (int) arguments[2];
    flags = (int) arguments[3];
    descriptor = (int) arguments[4];
    offset = arguments[5];
    result = answer;
    error = refused;
  }
}
