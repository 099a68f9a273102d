// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.SignalException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What each page must show, as far as that is known, and which rule a page breaks that shows something
 * else. Every number that the kit writes says which page it was written to.
 */
final class Contents {
  /** The source of the device's pages; what the kernel backs has others, one for each object. */
  static final Object DEVICE = "device";

  private record Key(Object source, int page) {}

  /** What is known of a page. */
  private static final class Content {
    /** Whether it was there when it was touched last; null when it was never touched. */
    @Nullable Boolean present;
    @Nullable Long value;
    boolean byFile;
    int closes;
    int upgrades;
  }

  private final Watch watch;
  private final Said said;
  private final Map<Key, Content> contents = new HashMap<>();
  private int upgrades;
  private Rule changing = Rule.UPGRADE_IS_NOT_SEEN;
  private int sequence;
  /** Pages that numbers were made for. */
  private final Set<Long> numbered = new HashSet<>();

  /**
   * @param said which of the device's pages need not hold what was stored in them
   */
  Contents(Watch watch, Said said) {
    this.watch = watch;
    this.said = said;
  }

  /** Whether a page of the device holds what was stored in it. */
  boolean holdsValues(int page) {
    return !said.showsRegisters(page);
  }

  /** For a page that does not: what to say where that is as it should be. */
  String registersHint() {
    return said.registersHint();
  }

  // ---- what is known ----------------------------------------------------------------------------

  /** A number for a page, unlike all others. */
  long number(int page) {
    int first = said.firstViewOf(page);
    numbered.add((long) first);
    return (first + 1L << 32) + ++sequence;
  }

  private Content of(Object source, int page) {
    return contents.computeIfAbsent(key(source, page), key -> new Content());
  }

  private void know(Content content, long value, boolean byFile) {
    content.present = true;
    content.value = value;
    content.byFile = byFile;
    content.closes = watch.closes();
    content.upgrades = upgrades;
  }

  void written(int page, long value) {
    know(of(DEVICE, page), value, true);
  }

  /** What was written may have filled gaps before it. */
  void forgetHoles() {
    contents.values().removeIf(content -> Boolean.FALSE.equals(content.present));
  }

  private Key key(Object source, int page) {
    return new Key(source, source == DEVICE ? said.firstViewOf(page) : page);
  }

  /** Whether a page of the device was there when it was touched last. */
  boolean isThere(int page) {
    Content content = contents.get(key(DEVICE, page));
    return content != null && Boolean.TRUE.equals(content.present);
  }

  void forget(int page) {
    contents.remove(key(DEVICE, page));
  }

  void forgetDevice() {
    contents.keySet().removeIf(key -> key.source() == DEVICE);
  }

  /** Another version of the driver serves. */
  void upgraded() {
    upgrades++;
    changing = Rule.UPGRADE_IS_NOT_SEEN;
  }

  /** The driver was away, and is back. */
  void cameBack() {
    upgrades++;
    changing = Rule.WHAT_IS_LEFT_IS_ADOPTED;
  }

  private String before() {
    return changing == Rule.UPGRADE_IS_NOT_SEEN ? "before the upgrade"
        : "before the driver went and came back";
  }

  // ---- what was seen ----------------------------------------------------------------------------

  /** {@code read(2)} gave the first word of a page, or nothing. */
  void read(int page, OptionalLong got) {
    Content content = of(DEVICE, page);
    if (got.isEmpty()) {
      if (isLost(content)) {
        watch.violated(
            changing,
            "read(2) of page " + page + " gives nothing, and the page was there " + before());
      }
    } else if (!holdsValues(page)) {
      content.present = true;
    } else if (content.value != null && content.value != got.getAsLong()) {
      wrong("read(2) of page " + page, DEVICE, page, got.getAsLong(), content, true);
    } else {
      know(content, got.getAsLong(), true);
    }
  }

  /**
   * A load went through.
   *
   * @param has whether the driver must have that page, or null
   */
  void loaded(int at, Actor.Cell cell, @Nullable Boolean has, long got) {
    Content content = of(cell.source, cell.page);
    if (!mayBeThere(at, cell, content, has, Long.toHexString(got))) {
      return;
    }
    if (cell.isOfDevice() && cell.own == null && !holdsValues(cell.page)) {
      content.present = true;
      return;
    }
    Long expected = cell.own != null ? cell.own : content.value;
    if (expected != null ? expected != got : isOfAnotherPage(cell, got)) {
      wrong("a load from " + at, cell.source, cell.page, got, content, false);
    } else if (cell.own == null) {
      know(content, got, false);
    }
  }

  /** A store went through. */
  void stored(int at, Actor.Cell cell, @Nullable Boolean has, long value) {
    Content content = of(cell.source, cell.page);
    if (mayBeThere(at, cell, content, has, "no signal")) {
      if (cell.shared && cell.isOfDevice() && !holdsValues(cell.page)) {
        content.present = true;
      } else if (cell.shared) {
        know(content, value, false);
      } else {
        cell.own = value;
      }
    }
  }

  /** Of a page that nothing is known of. */
  private boolean isOfAnotherPage(Actor.Cell cell, long got) {
    long page = (got >>> 32) - 1;
    long count = got & 0xffff_ffffL;
    return cell.isOfDevice() && numbered.contains(page) && page != said.firstViewOf(cell.page)
        && count > 0 && count <= sequence;
  }

  private boolean isLost(Content content) {
    return Boolean.TRUE.equals(content.present) && content.upgrades < upgrades;
  }

  private boolean mayBeThere(
      int at, Actor.Cell cell, Content content, @Nullable Boolean has, String got) {
    if (!cell.isOfDevice() || cell.own != null) {
      return true;
    }
    String where = "an access to " + at + ", page " + cell.page + " of the device, got " + got;
    if (Boolean.FALSE.equals(has)) {
      boolean lost = isLost(content);
      watch.violated(
          lost ? changing : Rule.HOLE_IS_SIGBUS,
          where + (lost ? ", and " + before() + " read(2) had that page; now "
              : " where SIGBUS was due; ") + told(cell.page, false));
      return false;
    }
    if (Boolean.FALSE.equals(content.present)) {
      watch.violated(
          Rule.HOLE_IS_SIGBUS,
          where + " where SIGBUS was due: so it was before, and nobody has written since");
      return false;
    }
    return true;
  }

  /**
   * An access got a signal.
   *
   * @param failed what a callback did that the kernel had to contain, or null
   */
  void refused(
      int at, Actor.Cell cell, @Nullable Boolean has, SignalException signal,
      @Nullable String failed) {
    Content content = of(cell.source, cell.page);
    String where = "an access to " + at + ", page " + cell.page + " of the device, ";
    String got = "got " + signal.info().shortText();
    if (failed != null) {
      callbackFailed(where + "was refused because " + failed,
          "nopage should answer Nopage.SIGBUS: ", cell.page, has);
    } else if (cell.isOfDevice() && isLost(content)) {
      watch.violated(
          changing, where + got + ", and the page was there " + before());
    } else if (cell.isOfDevice() && Boolean.TRUE.equals(content.present)) {
      boolean closed = content.closes < watch.closes();
      watch.violated(
          closed ? Rule.AREAS_ARE_COUNTED : Rule.ONE_PAGE_FOR_ONE_OFFSET,
          where + got + ", and the page was there before" + (closed ? closedSince() : ""));
    } else if (Boolean.TRUE.equals(has)) {
      watch.violated(
          Rule.READ_AND_WRITE_SEE_WHAT_IS_MAPPED, where + got + ", but " + told(cell.page, true));
    } else {
      content.present = false;
    }
  }

  /** A callback failed at a page: where there is none it should have said so. */
  void callbackFailed(String what, String due, int page, @Nullable Boolean has) {
    boolean hole = Boolean.FALSE.equals(has);
    watch.violated(
        hole ? Rule.HOLE_IS_SIGBUS : Rule.CALLBACKS_ANSWER,
        hole ? what + "; " + due + told(page, false) : what);
  }

  private static String closedSince() {
    return "; an area was closed since, but others still map the device";
  }

  private static String told(int page, boolean has) {
    return has
        ? "the device has that page: read(2) returns its bytes, or it is within its size (if there is"
            + " a hole, say so by overriding size() or hasPage(" + page + "))"
        : "the device has no such page: read(2) returns none of its bytes, or it is behind its size"
            + ", or hasPage(" + page + ") says so";
  }

  /** A page shows another number than it should: which rule is that? */
  private void wrong(
      String how, Object source, int page, long got, Content content, boolean byFile) {
    long other = (got >>> 32) - 1;
    String text = content.value == null
        ? "%s, page %d of the device, gave 0x%x".formatted(how, page, got)
        : "%s gave 0x%x, but page %d holds 0x%x, which was %s".formatted(
            how, got, page, content.value,
            content.byFile ? "written by write(2)" : "stored or seen through a mapping");
    if (source != DEVICE) {
      throw new AssertionError("the kernel's own memory is wrong: " + text);
    }
    if (content.value != null && content.upgrades < upgrades) {
      watch.violated(changing, text + " " + before() + registersHint());
    } else if (other != said.firstViewOf(page) && numbered.contains(other)) {
      watch.violated(
          Rule.PAGE_OF_ITS_OFFSET, text + "; 0x%x is of page %d".formatted(got, other));
    } else if (byFile != content.byFile) {
      watch.violated(Rule.READ_AND_WRITE_SEE_WHAT_IS_MAPPED, text + registersHint());
    } else if (content.closes < watch.closes()) {
      watch.violated(Rule.AREAS_ARE_COUNTED, text + closedSince() + registersHint());
    } else {
      watch.violated(Rule.ONE_PAGE_FOR_ONE_OFFSET, text + registersHint());
    }
  }
}
