// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** One thread, which does one round of each of its works in turn until it is stopped. */
final class Load implements Runnable, AutoCloseable {
  private static final long LOOK_NANOS = 1_000_000;

  private final Meter meter;
  private final List<Work> works;
  private volatile boolean stopped;
  private volatile boolean pausing;
  private volatile boolean paused;

  Load(Meter meter, List<Work> works) {
    this.meter = meter;
    this.works = works;
  }

  Meter meter() {
    return meter;
  }

  void stop() {
    stopped = true;
  }

  /** Waits until it does nothing. */
  void pause() {
    pausing = true;
    while (!paused && !stopped) {
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  void resume() {
    pausing = false;
  }

  @Override
  public void run() {
    for (long round = 0; !stopped; round++) {
      while (pausing && !stopped) {
        paused = true;
        LockSupport.parkNanos(LOOK_NANOS);
      }
      paused = false;
      for (Work work : works) {
        try {
          work.round(round);
        } catch (Exception e) {
          meter.failed(e);
        }
      }
    }
  }

  @Override
  public void close() {
    works.forEach(Work::close);
  }
}
