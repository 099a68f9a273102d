// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.faultline.core.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Page tables as a sparse array, and what they cost. */
class PageTablesTest {
  private static final long GIB = 1L << 30;
  private static final long LEAF = 2L << 20;

  private final PhysicalMemory memory = new PhysicalMemory(1 << 20);
  private final PageTables tables = new PageTables(memory);

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void anEntryIsFoundWhereItWasSetAndNowhereElse() {
    tables.set(0x7fff_ffff_f000L, entry(5));
    assertThat(tables.get(0x7fff_ffff_f000L)).isEqualTo(entry(5));
    assertThat(tables.get(0x7fff_ffff_ffffL)).as("any byte of the page").isEqualTo(entry(5));
    assertThat(tables.get(0x7fff_ffff_e000L)).isZero();
    assertThat(tables.get(0x0fff_ffff_f000L)).isZero();
  }

  @Test
  void addressesOutsideOf48BitsHaveNoEntryAndTakeNone() {
    tables.set(0, entry(1));
    for (long address : new long[] {1L << 48, -4096, Long.MIN_VALUE}) {
      assertThat(tables.get(address)).isZero();
      assertThatIllegalArgumentException().isThrownBy(() -> tables.set(address, entry(1)))
          .withMessageContaining("48 bits");
    }
  }

  @Test
  void compareAndSetWritesOnlyOverWhatWasExpected() {
    assertThat(tables.compareAndSet(0x1000, 0, entry(1))).isTrue();
    assertThat(tables.compareAndSet(0x1000, 0, entry(2))).isFalse();
    assertThat(tables.compareAndSet(0x1000, entry(1), entry(2))).isTrue();
    assertThat(tables.get(0x1000)).isEqualTo(entry(2));
    assertThat(tables.compareAndSet(GIB, 0, 0)).as("nothing over nothing").isTrue();
  }

  @Test
  void onePageNeedsThreeTablesBelowTheRoot() {
    assertThat(tables.tableCount()).isZero();
    tables.set(0x1000, entry(1));
    assertThat(tables.tableCount()).isEqualTo(3);
    tables.set(0x2000, entry(2));
    assertThat(tables.tableCount()).isEqualTo(3);
    tables.set(LEAF, entry(3));
    assertThat(tables.tableCount()).isEqualTo(4);
    tables.set(GIB, entry(4));
    assertThat(tables.tableCount()).isEqualTo(6);
    tables.set(512 * GIB, entry(5));
    assertThat(tables.tableCount()).isEqualTo(9);
  }

  @Test
  void clearingWhatIsNotThereMakesNoTable() {
    tables.set(0x1000, 0);
    assertThat(tables.tableCount()).isZero();
  }

  @Test
  void aVisitSeesEachEntryOnceInOrderAndWritesTheAnswer() {
    long[] places = {0x1000, 0x3000, LEAF - 4096, LEAF, 7 * GIB, 600 * GIB};
    for (long place : places) {
      tables.set(place, entry(place >>> 12 & 0x3F));
    }
    List<Long> seen = new ArrayList<>();
    tables.visit(0x2000, 600 * GIB, (address, entry) -> {
      seen.add(address);
      return address == LEAF ? 0 : entry | Pte.DIRTY;
    });
    assertThat(seen).containsExactly(0x3000L, LEAF - 4096, LEAF, 7 * GIB);
    assertThat(tables.get(0x1000)).isEqualTo(entry(1));
    assertThat(tables.get(0x3000)).isEqualTo(entry(3) | Pte.DIRTY);
    assertThat(tables.get(LEAF)).isZero();
  }

  @Test
  void emptyTablesGoWhenNoNeighbourUsesThem() {
    tables.set(LEAF, entry(1));
    tables.set(LEAF, 0);
    tables.freeTables(LEAF, LEAF + 4096, 0, LEAF + 0x10000);
    assertThat(tables.tableCount()).as("the neighbour above shares the table").isEqualTo(3);
    tables.freeTables(LEAF, LEAF + 4096, 0, 2 * LEAF);
    assertThat(tables.tableCount()).as("and here the two above it").isEqualTo(2);
    tables.freeTables(LEAF, LEAF + 4096, 0, 0);
    assertThat(tables.tableCount()).isZero();
    tables.set(LEAF, entry(2));
    assertThat(tables.get(LEAF)).as("they come again").isEqualTo(entry(2));
  }

  @Test
  void tablesThatHoldAnEntryStay() {
    tables.set(LEAF, entry(1));
    tables.freeTables(0, 512 * GIB, 0, 0);
    assertThat(tables.get(LEAF)).isEqualTo(entry(1));
    assertThat(tables.tableCount()).isEqualTo(3);
  }

  @Test
  void residentPagesAreThoseThatHoldAReference() {
    tables.set(0x1000, entry(1));
    tables.set(0x2000, Pte.of(2, Pte.protection(false, false, false, 0), 0));
    tables.set(0x3000, Pte.of(3, Pte.protection(true, false, false, 0), Pte.SPECIAL));
    tables.set(0x4000, Pte.GUARD);
    tables.set(0x5000, Pte.swap(1));
    assertThat(tables.residentPages()).isEqualTo(2);
    tables.set(0x1000, Pte.swap(2));
    assertThat(tables.residentPages()).isEqualTo(1);
  }

  @Test
  void wholeTablesMoveWhereBothPlacesAllowIt() {
    for (long page = 0; page < LEAF; page += 4096) {
      tables.set(GIB + page, entry(page >>> 12));
    }
    tables.set(GIB + LEAF, entry(999));
    long before = tables.tableCount();
    tables.move(GIB, LEAF + 4096, GIB + 4 * LEAF);
    assertThat(tables.tableCount()).as("one table moved, one made").isEqualTo(before + 1);
    assertThat(tables.get(GIB)).isZero();
    assertThat(tables.get(GIB + LEAF)).isZero();
    assertThat(tables.get(GIB + 4 * LEAF + 0x5000)).isEqualTo(entry(5));
    assertThat(tables.get(GIB + 5 * LEAF)).isEqualTo(entry(999));
  }

  static long entry(long frame) {
    return Pte.of(frame, Pte.protection(true, true, false, 0), 0);
  }
}
