// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;

/**
 * What processes do while the driver gets no memory. It may fail; then nothing of it may be left, and
 * afterwards all goes as before.
 */
final class ShortOfMemory {
  /** More than a driver asks for in one call. */
  private static final int MOST_REQUESTS = 40;

  private final Scene scene;
  private final AreaCalls areas;

  ShortOfMemory(Scene scene, AreaCalls areas) {
    this.scene = scene;
    this.areas = areas;
  }

  /** What a call of a process is. */
  @FunctionalInterface
  private interface Call {
    /** Whether it went through. */
    boolean goesThrough();
  }

  /** How a call ended. */
  private record Attempt(boolean wentThrough, boolean refused) {}

  private Attempt attempt(int nth, Call call) {
    scene.watch.scarcity().begin(nth);
    boolean wentThrough = call.goesThrough();
    boolean refused = scene.watch.scarcity().end();
    String failed = scene.plugged.failure();
    if (failed != null) {
      scene.watch.violated(
          refused ? Rule.SHORTAGE_IS_TOLD : Rule.CALLBACKS_ANSWER,
          failed + (refused ? "; it was refused memory" : ""));
    }
    return new Attempt(wentThrough, refused);
  }

  private boolean isBroken() {
    return scene.watch.violation() != null;
  }

  /**
   * Maps, with each of the driver's requests refused once; what was there is replaced each time.
   *
   * @param first the request that is refused the first time, from 1
   */
  void map(int number, int at, int count, int offset, boolean shared, int first) {
    Actor actor = scene.actor(number);
    if (actor == null) {
      return;
    }
    Call map = () -> areas.map(number, at, count, offset, shared, true);
    boolean went = areas.hasGoneThrough(offset, count, shared);
    for (int nth = first; nth <= MOST_REQUESTS && !isBroken(); nth++) {
      Attempt attempt = attempt(nth, map);
      if (!attempt.refused()) {
        break;
      }
      if (attempt.wentThrough()) {
        checkThere(actor, at, count);
      }
      boolean goes = !isBroken() && map.goesThrough();
      // While it is mapped elsewhere a device may well refuse.
      if (!goes && went && scene.nothingIsMapped()) {
        scene.watch.violated(
            Rule.REFUSED_MMAP_LEAVES_NOTHING,
            "mmap of " + new Window(offset, count) + " went through before, failed once for want of"
                + " memory, and is refused since, though there is memory again");
      }
      went |= goes;
    }
    areas.unmap(number, at, count);
  }

  /** A driver may do without what it was refused, if its pages are there all the same. */
  private void checkThere(Actor actor, int at, int count) {
    for (int place = at; place < at + count; place++) {
      Actor.Cell cell = actor.cells.get(place);
      if (cell == null || !cell.isOfDevice() || !isThere(cell.page)) {
        continue;
      }
      try {
        long unused = actor.program.memory().getLong(Places.address(place));
      } catch (SignalException signal) {
        scene.watch.violated(
            Rule.SHORTAGE_IS_TOLD,
            "mmap was refused memory and went on, and page " + cell.page
                + " of the device is not at " + place + ": " + signal.info().shortText());
      }
    }
  }

  private boolean isThere(int page) {
    return scene.contents.isThere(page)
        || Boolean.TRUE.equals(scene.file.has(scene.anyone(), page));
  }

  /** Loads from a page, the first time with the driver's first request refused. */
  void load(int number, int at) {
    Actor actor = scene.actor(number);
    Actor.Cell cell = actor == null ? null : actor.cells.get(at);
    if (actor == null || cell == null || !cell.isOfDevice()) {
      return;
    }
    if (cell.page >= Step.PAGES) {
      scene.idle.forget();
    }
    Call load = () -> {
      try {
        long unused = actor.program.memory().getLong(Places.address(at));
        return true;
      } catch (SignalException signal) {
        return false;
      }
    };
    Attempt attempt = attempt(1, load);
    if (attempt.refused() && !attempt.wentThrough() && !isBroken() && load.goesThrough()) {
      scene.watch.violated(
          Rule.SHORTAGE_IS_TOLD,
          "an access to " + at + ", page " + cell.page + " of the device, was refused while there"
              + " was no memory, and goes through now; with Nopage.OOM it would have waited for"
              + " memory");
    }
  }

  /** Writes to a page, with each of the driver's requests refused once. */
  void write(int page) {
    Actor actor = scene.anyone();
    if (actor == null || !scene.canWrite()) {
      return;
    }
    scene.idle.forget();
    scene.idle.written();
    long value = scene.contents.number(page);
    Call write = () -> {
      try {
        return scene.file.write(actor, page, 0, value);
      } catch (ErrnoException refused) {
        return false;
      }
    };
    for (int nth = 1; nth <= MOST_REQUESTS && !isBroken(); nth++) {
      Attempt attempt = attempt(nth, write);
      if (attempt.wentThrough()) {
        scene.contents.written(page, value);
        scene.contents.forgetHoles();
      }
      if (!attempt.refused()) {
        return;
      }
    }
  }
}
