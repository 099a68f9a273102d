// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Page tables agree with a sorted map. */
class PageTablesProperties {
  private static final int SHIFT = 12;

  enum Kind {
    SET, COMPARE_AND_SET, CLEAR_RANGE, DIRTY_RANGE, MOVE, FREE
  }

  /** One call; places and lengths in pages. */
  record Call(Kind kind, long page, long pages, long other) {}

  @Property(tries = 400, edgeCases = EdgeCasesMode.NONE)
  void theyAgreeWithASortedMap(@ForAll("calls") List<Call> calls) {
    try (PhysicalMemory memory = new PhysicalMemory(16 << 20)) {
      PageTables tables = new PageTables(memory);
      TreeMap<Long, Long> map = new TreeMap<>();
      // Behind those that the tables take.
      long frame = 2048;
      for (Call call : calls) {
        long entry = PageTablesTest.entry(++frame);
        long end = call.page + call.pages;
        Map<Long, Long> range = map.subMap(call.page, end);
        switch (call.kind) {
          case SET -> {
            tables.set(call.page << SHIFT, entry);
            map.put(call.page, entry);
          }
          case COMPARE_AND_SET -> {
            long expected = call.other % 2 == 0 ? 0 : map.getOrDefault(call.page, 0L);
            boolean fits = map.getOrDefault(call.page, 0L) == expected;
            assertThat(tables.compareAndSet(call.page << SHIFT, expected, entry)).isEqualTo(fits);
            if (fits) {
              map.put(call.page, entry);
            }
          }
          case CLEAR_RANGE -> {
            List<Long> seen = new ArrayList<>();
            tables.visit(call.page << SHIFT, end << SHIFT, (address, e) -> {
              seen.add(address >>> SHIFT);
              assertThat(e).isEqualTo(map.get(address >>> SHIFT));
              return 0;
            });
            assertThat(seen).containsExactlyElementsOf(range.keySet());
            range.clear();
          }
          case DIRTY_RANGE -> {
            tables.visit(call.page << SHIFT, end << SHIFT, (address, e) -> e | Pte.DIRTY);
            range.replaceAll((page, e) -> e | Pte.DIRTY);
          }
          case MOVE -> {
            boolean apart = call.other >= end || call.other + call.pages <= call.page;
            if (apart && map.subMap(call.other, call.other + call.pages).isEmpty()) {
              tables.move(call.page << SHIFT, call.pages << SHIFT, call.other << SHIFT);
              Map<Long, Long> moved = new TreeMap<>(range);
              range.clear();
              moved.forEach((page, e) -> map.put(page - call.page + call.other, e));
            }
          }
          case FREE -> tables.freeTables(call.page << SHIFT, end << SHIFT, 0, 0);
        }
        assertThat(tables.get(call.page << SHIFT)).isEqualTo(map.getOrDefault(call.page, 0L));
      }
      TreeMap<Long, Long> all = new TreeMap<>();
      tables.visit(0, 1L << 48, (address, e) -> {
        all.put(address >>> SHIFT, e);
        return e;
      });
      assertThat(all).isEqualTo(map);
      assertThat(tables.residentPages()).isEqualTo(map.size());
      tables.visit(0, 1L << 48, (address, e) -> 0);
      tables.freeTables(0, 1L << 48, 0, 0);
      assertThat(tables.tableCount()).isZero();
      assertThat(tables.residentPages()).isZero();
    }
  }

  @Provide
  Arbitrary<List<Call>> calls() {
    Arbitrary<Long> near = Arbitraries.longs().between(0, 2000);
    Arbitrary<Long> aligned = Arbitraries.longs().between(0, 8).map(i -> i * 512);
    Arbitrary<Long> far = Arbitraries.longs().between(0, (1L << 36) - 1);
    Arbitrary<Long> page = Arbitraries.oneOf(near, near, aligned, far);
    Arbitrary<Long> pages = Arbitraries.of(1L, 2L, 10L, 511L, 512L, 513L, 1024L, 1500L);
    Arbitrary<Kind> kind = Arbitraries.of(Kind.SET, Kind.SET, Kind.SET, Kind.COMPARE_AND_SET,
        Kind.CLEAR_RANGE, Kind.DIRTY_RANGE, Kind.MOVE, Kind.FREE);
    return Combinators.combine(kind, page, pages, page)
        .as((k, p, n, o) -> new Call(k, Math.min(p, (1L << 36) - 2000), n,
            Math.min(o, (1L << 36) - 2000)))
        .list().ofMaxSize(80);
  }
}
