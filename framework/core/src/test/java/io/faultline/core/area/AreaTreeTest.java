// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What callers may rely on, one rule a test; {@link AreaTreeProperties} tries what is in between. */
class AreaTreeTest {
  private static final long PAGE = 4096;

  private final AreaTree tree = new AreaTree();

  @Test
  void emptyTreeFindsNothingAndIsOneGap() {
    assertThat(tree.find(0)).isNull();
    assertThat(tree.findAt(0)).isNull();
    assertThat(tree.findPrevious(-1)).isNull();
    assertThat(tree.findIntersection(0, Long.MAX_VALUE)).isNull();
    assertThat(tree.first()).isNull();
    assertThat(tree.last()).isNull();
    assertThat(tree.highestGapEnd(PAGE, 9 * PAGE, 8 * PAGE)).isEqualTo(9 * PAGE);
    assertThat(tree.lowestGapStart(PAGE, 9 * PAGE, 8 * PAGE)).isEqualTo(PAGE);
    assertThat(tree.highestGapEnd(PAGE, 9 * PAGE, 9 * PAGE)).isEqualTo(-1);
    tree.validate();
  }

  @Test
  void findGivesTheFirstAreaThatEndsAboveTheAddress() {
    Area low = inserted(2, 4);
    Area high = inserted(6, 7);

    assertThat(tree.find(0)).isSameAs(low);
    assertThat(tree.find(4 * PAGE - 1)).isSameAs(low);
    assertThat(tree.find(4 * PAGE)).isSameAs(high);
    assertThat(tree.find(7 * PAGE)).isNull();
  }

  @Test
  void addressesAreUnsigned() {
    Area only = inserted(2, 4);

    assertThat(tree.find(-1)).isNull();
    assertThat(tree.find(Long.MIN_VALUE)).isNull();
    assertThat(tree.find(Long.MAX_VALUE)).isNull();
    assertThat(tree.findAt(-1)).isNull();
    assertThat(tree.findPrevious(-1)).isSameAs(only);
    assertThat(tree.findPrevious(Long.MAX_VALUE)).isSameAs(only);
  }

  @Test
  void fullLeafAnswersAboveItsLastArea() {
    for (int i = 0; i < TreeNode.CAPACITY; i++) {
      inserted(2 * i, 2 * i + 1);
    }
    long end = 2 * TreeNode.CAPACITY * PAGE;

    assertThat(tree.find(end)).isNull();
    assertThat(tree.findAt(end)).isNull();
    assertThat(tree.findPrevious(end)).isSameAs(tree.last());
  }

  @Test
  void areaAtTheTopOfUserSpaceIsFound() {
    long top = (1L << 47) - PAGE;
    Area stack = new Area(1, top - PAGE, top, 0, 0, null);
    tree.insert(stack);

    assertThat(tree.findAt(top - 1)).isSameAs(stack);
    assertThat(tree.highestGapEnd(0, top, PAGE)).isEqualTo(top - PAGE);
  }

  @Test
  void overlapIsRefusedAndNamesTheAreaInTheWay() {
    Area first = inserted(2, 4);
    Area second = area(3, 5);

    assertThatIllegalStateException()
        .isThrownBy(() -> tree.insert(second))
        .withMessageContaining(first.toString());
    assertThat(second.attached()).isFalse();
    assertThat(tree.size()).isOne();
    tree.validate();
  }

  @Test
  void neighboursMayTouch() {
    inserted(2, 4);
    inserted(4, 5);
    inserted(1, 2);

    assertThat(tree.size()).isEqualTo(3);
    tree.validate();
  }

  @Test
  void areaStandsInOneTreeOnly() {
    Area area = inserted(2, 4);

    assertThatIllegalStateException().isThrownBy(() -> new AreaTree().insert(area));
    assertThatIllegalStateException().isThrownBy(() -> new AreaTree().remove(area));
    assertThatIllegalStateException().isThrownBy(() -> new AreaTree().next(area));
    assertThat(area.attached()).isTrue();
  }

  @Test
  void removedAreaIsDetachedAndKeepsItsRange() {
    Area area = inserted(2, 4);
    tree.remove(area);

    assertThat(area.attached()).isFalse();
    assertThat(area.start()).isEqualTo(2 * PAGE);
    assertThat(tree.find(0)).isNull();
    assertThatIllegalStateException().isThrownBy(() -> tree.remove(area));
  }

  @Test
  void resizeMovesTheAreasRangeAndItsKeys() {
    Area area = inserted(2, 6);
    inserted(8, 9);

    tree.resize(area, 3 * PAGE, 8 * PAGE);

    assertThat(area.start()).isEqualTo(3 * PAGE);
    assertThat(tree.findAt(2 * PAGE)).isNull();
    assertThat(tree.findAt(7 * PAGE)).isSameAs(area);
    tree.validate();
  }

  @Test
  void resizeOverANeighbourIsRefusedAndChangesNothing() {
    inserted(1, 2);
    Area area = inserted(2, 6);
    inserted(8, 9);
    long stamp = tree.stamp();

    assertThatIllegalStateException().isThrownBy(() -> tree.resize(area, PAGE, 6 * PAGE));
    assertThatIllegalStateException().isThrownBy(() -> tree.resize(area, 2 * PAGE, 9 * PAGE));
    assertThatIllegalStateException().isThrownBy(() -> tree.resize(area, 20 * PAGE, 21 * PAGE));
    assertThatIllegalStateException().isThrownBy(() -> tree.resize(area, 3 * PAGE, 3 * PAGE));

    assertThat(area.end()).isEqualTo(6 * PAGE);
    assertThat(tree.unchangedSince(stamp)).isTrue();
    tree.validate();
  }

  @Test
  void emptyAreasAndAddressesAboveTheSignAreRefused() {
    assertThatIllegalStateException().isThrownBy(() -> inserted(3, 3));
    assertThatIllegalStateException()
        .isThrownBy(() -> tree.insert(new Area(1, -2 * PAGE, -PAGE, 0, 0, null)));
    assertThatIllegalArgumentException().isThrownBy(() -> tree.highestGapEnd(0, PAGE, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> tree.lowestGapStart(-1, PAGE, 1));
  }

  @Test
  void gapIsMeasuredWithinTheLimitsOnly() {
    inserted(10, 11);
    inserted(20, 21);

    assertThat(tree.highestGapEnd(13 * PAGE, 18 * PAGE, 5 * PAGE)).isEqualTo(18 * PAGE);
    assertThat(tree.highestGapEnd(13 * PAGE, 18 * PAGE, 6 * PAGE)).isEqualTo(-1);
    assertThat(tree.highestGapEnd(0, 21 * PAGE, 9 * PAGE)).isEqualTo(20 * PAGE);
    assertThat(tree.highestGapEnd(0, 21 * PAGE, 10 * PAGE)).isEqualTo(10 * PAGE);
    assertThat(tree.lowestGapStart(5 * PAGE, 21 * PAGE, 6 * PAGE)).isEqualTo(11 * PAGE);
    assertThat(tree.lowestGapStart(5 * PAGE, 40 * PAGE, 10 * PAGE)).isEqualTo(21 * PAGE);
  }

  @Test
  void gapSearchTakesTheOneLongEnoughGapAmongThousands() {
    for (int i = 0; i < 20_000; i++) {
      int shift = i < 7_777 ? 0 : 1;
      inserted(2 * i + shift, 2 * i + shift + 1);
    }

    assertThat(tree.highestGapEnd(0, tree.last().end(), 2 * PAGE)).isEqualTo(15_555 * PAGE);
    assertThat(tree.lowestGapStart(0, tree.last().end(), 2 * PAGE)).isEqualTo(15_553 * PAGE);
  }

  @Test
  void snapshotStaysAsItWas() {
    Area first = inserted(1, 2);
    Area second = inserted(3, 4);
    List<Area> before = tree.snapshot();

    tree.remove(first);

    assertThat(before).containsExactly(first, second);
    assertThat(tree.snapshot()).containsExactly(second);
  }

  @Test
  void eachKindOfChangeInvalidatesAStamp() {
    List<Runnable> changes = new ArrayList<>();
    Area area = area(1, 4);
    changes.add(() -> tree.insert(area));
    changes.add(() -> tree.resize(area, PAGE, 2 * PAGE));
    changes.add(() -> tree.remove(area));

    for (Runnable change : changes) {
      long stamp = tree.stamp();
      assertThat(tree.unchangedSince(stamp)).isTrue();
      change.run();
      assertThat(tree.unchangedSince(stamp)).isFalse();
    }
  }

  @Test
  void validateSeesARangeChangedBehindTheTreesBack() {
    Area area = inserted(1, 4);
    inserted(8, 9);

    area.setRange(PAGE, 5 * PAGE);

    assertThatIllegalStateException().isThrownBy(tree::validate).withMessageContaining("keys");
  }

  private Area inserted(int firstPage, int endPage) {
    Area area = area(firstPage, endPage);
    tree.insert(area);
    return area;
  }

  private static Area area(int firstPage, int endPage) {
    return new Area(1, firstPage * PAGE, endPage * PAGE, 0, 0, null);
  }
}
