// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.util.List;

/** One thread, which does one round of each of its works in turn until it is stopped. */
final class Load implements Runnable, AutoCloseable {
  private final Meter meter;
  private final List<Work> works;
  private volatile boolean stopped;

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

  @Override
  public void run() {
    for (long round = 0; !stopped; round++) {
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
