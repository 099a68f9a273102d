// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** After any history of changes a tree answers every question as a sorted list does. */
class AreaTreeProperties {
  /** Addresses run from 0 to here: small, so that areas meet. In pages. */
  private static final int SPACE = 20_000;

  /** A step of a history. What {@code at} and {@code size} mean depends on the kind and the state. */
  record Step(Kind kind, int at, int size) {}

  enum Kind {
    INSERT,
    REMOVE,
    GROW_START,
    GROW_END,
    SHRINK_START,
    SHRINK_END,
    MOVE,
    /** Many areas one below the other, as mmap makes them. */
    RUN_DOWN,
    /** Many areas one above the other, as fork makes them. */
    RUN_UP,
    /** Many areas here and there. */
    SCATTER,
    /** All areas of a range go, as at munmap. */
    CLEAR_RANGE,
    /** One area in two goes. */
    THIN_OUT
  }

  @Property(tries = 400, shrinking = ShrinkingMode.FULL)
  void treeAnswersAsASortedListAfterAnyHistory(@ForAll("histories") List<Step> history) {
    Pair pair = new Pair();
    for (Step step : history) {
      pair.apply(step);
      pair.tree.validate();
      pair.compareQuestions(step.at, step.size);
      pair.compareGaps(step.at, step.size);
    }
    pair.compareWalks();
  }

  @Provide
  Arbitrary<List<Step>> histories() {
    Arbitrary<Step> steps =
        Combinators.combine(
            Arbitraries.of(Kind.class),
            Arbitraries.integers().between(0, SPACE),
            Arbitraries.integers().between(1, 300))
            .as(Step::new);
    return steps.list().ofMinSize(1).ofMaxSize(60);
  }

  /** Growing to thousands of areas and back to none, over and over, takes every kind of node apart. */
  @Test
  void treeAnswersAsASortedListThroughAHundredAndFiftyThousandOperations() {
    Random random = new Random(20261122);
    Pair pair = new Pair();
    int operations = 0;
    int deepest = 0;
    while (operations < 150_000) {
      int target = pair.list.size() > 100 ? 0 : 500 + random.nextInt(2_500);
      boolean growing = target > 0;
      while (growing ? pair.list.size() < target : pair.list.size() > target) {
        boolean forward = random.nextInt(8) != 0;
        Kind kind =
            switch (random.nextInt(10)) {
              case 0 -> Kind.GROW_START;
              case 1 -> Kind.SHRINK_END;
              case 2 -> Kind.SHRINK_START;
              case 3 -> Kind.GROW_END;
              default -> growing == forward ? Kind.INSERT : Kind.REMOVE;
            };
        pair.apply(new Step(kind, random.nextInt(SPACE), 1 + random.nextInt(3)));
        pair.compareQuestions(random.nextInt(SPACE), 1 + random.nextInt(30));
        operations++;
        if (operations % 32 == 0) {
          pair.compareGaps(random.nextInt(SPACE), 1 + random.nextInt(30));
          pair.tree.validate();
        }
      }
      pair.tree.validate();
      pair.compareWalks();
      deepest = Math.max(deepest, target);
    }
    assertThat(deepest).as("areas at once, enough for three levels").isGreaterThan(1_500);
  }

  /** The tree and the list it is compared with, under the same changes. */
  private static final class Pair {
    private static final long PAGE = 4096;

    final AreaTree tree = new AreaTree();
    final SortedAreas list = new SortedAreas();

    void apply(Step step) {
      switch (step.kind) {
        case INSERT -> insert(step.at, step.size);
        case REMOVE -> remove(step.at);
        case GROW_START -> resize(step.at, -step.size, 0);
        case GROW_END -> resize(step.at, 0, step.size);
        case SHRINK_START -> resize(step.at, step.size, 0);
        case SHRINK_END -> resize(step.at, 0, -step.size);
        case MOVE -> resize(step.at, step.size, step.size);
        case RUN_DOWN -> {
          for (int i = 0; i < step.size; i++) {
            insert(step.at - 2 * i, 1 + i % 2);
          }
        }
        case RUN_UP -> {
          for (int i = 0; i < step.size; i++) {
            insert(step.at + 3 * i, 1 + i % 3);
          }
        }
        case SCATTER -> {
          Random random = new Random(step.at);
          for (int i = 0; i < step.size; i++) {
            insert(random.nextInt(SPACE), 1 + random.nextInt(4));
          }
        }
        case CLEAR_RANGE -> {
          Area area;
          while ((area = tree.findIntersection(step.at * PAGE, (step.at + 8 * step.size) * PAGE))
              != null) {
            remove(list.areas().indexOf(area));
          }
        }
        case THIN_OUT -> {
          for (int i = list.size() - 1 - step.at % 2; i >= 0; i -= 2) {
            remove(i);
          }
        }
      }
    }

    private void insert(int page, int pages) {
      long start = Math.max(page, 0) * PAGE;
      Area area = new Area(1, start, start + pages * PAGE, 0, 0, null);
      if (list.overlaps(area.start(), area.end())) {
        assertThatIllegalStateException().isThrownBy(() -> tree.insert(area));
        assertThat(area.attached()).isFalse();
      } else {
        tree.insert(area);
        list.insert(area);
        assertThat(area.attached()).isTrue();
      }
    }

    private void remove(int at) {
      if (list.size() > 0) {
        int index = at % list.size();
        Area area = list.get(index);
        tree.remove(area);
        list.remove(index);
        assertThat(area.attached()).isFalse();
      }
    }

    private void resize(int at, int startBy, int endBy) {
      if (list.size() == 0) {
        return;
      }
      int index = at % list.size();
      Area area = list.get(index);
      long start = area.start() + startBy * PAGE;
      long end = area.end() + endBy * PAGE;
      if (start >= 0 && list.fits(index, start, end)) {
        tree.resize(area, start, end);
        list.resize(index, start, end);
      } else {
        assertThatIllegalStateException().isThrownBy(() -> tree.resize(area, start, end));
      }
    }

    /** Asks everything that takes an address, within areas, on their bounds and in gaps. */
    void compareQuestions(int page, int pages) {
      long address = page * PAGE;
      long above = address + pages * PAGE;
      same(tree.find(address), list.find(address), "find %x", address);
      same(tree.find(above - 1), list.find(above - 1), "find %x", above - 1);
      same(tree.findAt(address), list.findAt(address), "findAt %x", address);
      same(tree.findAt(address + 1), list.findAt(address + 1), "findAt %x", address + 1);
      same(
          tree.findIntersection(address, above),
          list.findIntersection(address, above),
          "findIntersection %x %x",
          address,
          above);
      same(tree.findPrevious(above), list.findPrevious(above), "findPrevious %x", above);
    }

    /** Asks for gaps of several lengths, anywhere and within limits that cut areas and gaps. */
    void compareGaps(int page, int pages) {
      long address = page * PAGE;
      long above = address + pages * PAGE;
      long top = SPACE * PAGE;
      for (long length : new long[] {PAGE, pages * PAGE, 20L * pages * PAGE}) {
        compareGap(0, top, length);
        compareGap(address, top, length);
        compareGap(0, address, length);
        compareGap(address, above, length);
      }
    }

    private void compareGap(long low, long high, long length) {
      assertThat(tree.highestGapEnd(low, high, length))
          .as("end of the highest gap of %x in [%x, %x)", length, low, high)
          .isEqualTo(list.highestGapEnd(low, high, length));
      assertThat(tree.lowestGapStart(low, high, length))
          .as("start of the lowest gap of %x in [%x, %x)", length, low, high)
          .isEqualTo(list.lowestGapStart(low, high, length));
    }

    void compareWalks() {
      List<Area> expected = list.areas();
      assertThat(tree.size()).isEqualTo(expected.size());
      assertThat(tree.snapshot()).isEqualTo(expected);
      same(tree.first(), expected.isEmpty() ? null : expected.getFirst(), "first", 0);
      same(tree.last(), expected.isEmpty() ? null : expected.getLast(), "last", 0);
      for (int i = 0; i < expected.size(); i++) {
        Area area = expected.get(i);
        same(tree.next(area), i + 1 < expected.size() ? expected.get(i + 1) : null, "next", i);
        same(tree.previous(area), i > 0 ? expected.get(i - 1) : null, "previous", i);
      }
    }

    private static void same(
        @Nullable Area actual, @Nullable Area expected, String question, Object... arguments) {
      // Looked at before the message is made: this runs a few million times.
      if (actual != expected) {
        assertThat(actual).as(question, arguments).isSameAs(expected);
      }
    }
  }
}
