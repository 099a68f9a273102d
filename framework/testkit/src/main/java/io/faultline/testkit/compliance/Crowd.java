// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.SignalException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;

/** Processes that share one page of the device and touch it first at the same moment. */
final class Crowd {
  /** How many there are. */
  static final int SIZE = 3;

  /** Where each has mapped the page. */
  static final int PLACE = 0;

  private static final int START_SECONDS = 60;
  private static final int END_SECONDS = 60;

  private final Plugged plugged;
  private final Watch watch;
  private final DeviceFile file;
  private final Contents contents;

  Crowd(Plugged plugged, Watch watch, DeviceFile file, Contents contents) {
    this.plugged = plugged;
    this.watch = watch;
    this.file = file;
    this.contents = contents;
  }

  /**
   * Each stores, or writes, a number of its own in a place of its own; then each must see all.
   *
   * @param values a number for each
   */
  void touch(int page, boolean byWrite, List<Actor> mapped, long[] values) {
    boolean[] done = new boolean[mapped.size()];
    watch.concurrent(true);
    plugged.meet(mapped.size());
    CyclicBarrier start = new CyclicBarrier(mapped.size());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < mapped.size(); i++) {
      int who = i;
      threads.add(Thread.ofPlatform().daemon().start(() -> {
        try {
          start.await(START_SECONDS, TimeUnit.SECONDS);
          done[who] = byWrite
              ? file.write(mapped.get(who), page, within(who), values[who])
              : store(mapped.get(who), who, values[who]);
        } catch (Exception e) {
          watch.failed("a thread that stores at the same moment as others: " + e);
        }
      }));
    }
    try {
      for (Thread thread : threads) {
        thread.join(TimeUnit.SECONDS.toMillis(END_SECONDS));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    plugged.meet(0);
    watch.concurrent(false);
    for (int reader = 0; contents.holdsValues(page) && reader < mapped.size(); reader++) {
      for (int writer = 0; writer < mapped.size(); writer++) {
        if (done[writer]) {
          check(page, reader, mapped.get(reader), writer, values[writer]);
        }
      }
    }
  }

  private static boolean store(Actor actor, int who, long value) {
    try {
      actor.program.memory().putLong(Places.address(PLACE) + within(who), value);
      return true;
    } catch (SignalException hole) {
      return false;
    }
  }

  /** A word of its own for each, bytes from the page's start. */
  private static int within(int who) {
    return 64 * (who + 1);
  }

  private void check(int page, int reader, Actor actor, int writer, long value) {
    String text;
    try {
      long got = actor.program.memory().getLong(Places.address(PLACE) + within(writer));
      if (got == value) {
        return;
      }
      text = "sees 0x%x where the %s stored 0x%x".formatted(got, ordinal(writer), value);
    } catch (SignalException signal) {
      text = "gets " + signal.info().shortText() + " where the " + ordinal(writer) + " stored";
    }
    watch.violated(
        Rule.ONE_PAGE_FOR_ONE_OFFSET,
        "of " + SIZE + " processes that share page " + page + " of the device, the "
            + ordinal(reader) + " " + text + contents.registersHint());
  }

  private static String ordinal(int i) {
    return List.of("first", "second", "third").get(i);
  }
}
