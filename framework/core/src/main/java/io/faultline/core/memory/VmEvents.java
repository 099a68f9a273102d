// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.util.concurrent.atomic.LongAdder;

/** The counters of one kernel, an adder for each {@link VmEvent}. Thread-safe; counting takes no lock. */
public final class VmEvents {
  private static final VmEvent[] EVENTS = VmEvent.values();

  private final LongAdder[] counters = new LongAdder[EVENTS.length];

  VmEvents() {
    for (int i = 0; i < counters.length; i++) {
      counters[i] = new LongAdder();
    }
  }

  /** Counts one ({@code count_vm_event}). */
  public void count(VmEvent event) {
    counters[event.ordinal()].increment();
  }

  /** Counts several at once ({@code count_vm_events}). */
  public void count(VmEvent event, long by) {
    counters[event.ordinal()].add(by);
  }

  /** How many were counted so far. */
  public long sum(VmEvent event) {
    return counters[event.ordinal()].sum();
  }
}
