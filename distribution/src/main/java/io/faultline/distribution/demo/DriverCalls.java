// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.demo;

import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.TraceListener;
import java.util.ArrayList;
import java.util.List;

/** Hears which of a driver's methods the kernel calls. Thread-safe. */
final class DriverCalls implements TraceListener {
  private final String device;
  private final List<TraceEvent> heard = new ArrayList<>(); // guarded by this

  /**
   * @param device path of the device whose driver is listened to
   */
  DriverCalls(String device) {
    this.device = device;
  }

  @Override
  public synchronized void event(TraceEvent event) {
    boolean call =
        switch (event.kind()) {
          case MMAP, OPEN, CLOSE, NOPAGE, POPULATE, IO -> true;
          case SPAWN, FORK, EXIT, CALL, FAULT, SIGNAL, DRIVER -> false;
        };
    if (call && device.equals(event.device())) {
      heard.add(event);
    }
  }

  /** The calls since the last time, by kind. */
  synchronized Calls take() {
    Calls calls = new Calls(List.copyOf(heard));
    heard.clear();
    return calls;
  }

  /**
   * Some calls, in their order.
   *
   * @param events one for each
   */
  record Calls(List<TraceEvent> events) {
    long of(TraceEvent.Kind kind) {
      return events.stream().filter(e -> e.kind() == kind).count();
    }

    /** {@code mmap}, {@code open open close} …, or {@code nothing}. */
    @Override
    public String toString() {
      return events.isEmpty()
          ? "nothing"
          : String.join(" ", events.stream().map(e -> e.kind().name().toLowerCase()).toList());
    }
  }
}
