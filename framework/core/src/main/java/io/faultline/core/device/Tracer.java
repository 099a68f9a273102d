// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.TraceListener;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Hands events to the trace listeners. Ask {@link #enabled} first: an event that nobody hears must
 * not be made. Thread-safe.
 */
public final class Tracer {
  // Written with this object's monitor held, a fresh array each time.
  private volatile TraceListener[] listeners = new TraceListener[0];
  private volatile boolean enabled;

  /** Whether anybody listens. */
  public boolean enabled() {
    return enabled;
  }

  /** Adds a listener; one that is there already is not added again. */
  public synchronized void add(TraceListener listener) {
    TraceListener[] old = listeners;
    for (TraceListener known : old) {
      if (known == listener) {
        return;
      }
    }
    TraceListener[] now = Arrays.copyOf(old, old.length + 1);
    now[old.length] = listener;
    listeners = now;
    enabled = true;
  }

  /** Removes a listener; one that is not there is no error. */
  public synchronized void remove(TraceListener listener) {
    TraceListener[] now =
        Arrays.stream(listeners).filter(l -> l != listener).toArray(TraceListener[]::new);
    listeners = now;
    enabled = now.length > 0;
  }

  /** Tells every listener. Never throws: a listener that does is ignored. */
  public void emit(TraceEvent event) {
    for (TraceListener listener : listeners) {
      try {
        listener.event(event);
      } catch (Throwable ignored) {
        // Promised to the listener: its exceptions harm nobody.
      }
    }
  }

  /** Makes an event of now and tells every listener; does nothing when there is none. */
  public void emit(
      TraceEvent.Kind kind, int pid, @Nullable String device, long start, long end, String text) {
    if (enabled) {
      emit(new TraceEvent(System.nanoTime(), pid, kind, device, start, end, text));
    }
  }
}
