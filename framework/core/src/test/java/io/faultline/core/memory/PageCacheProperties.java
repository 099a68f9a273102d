// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The index of an object's pages agrees with a sorted map. */
class PageCacheProperties {
  /** One change: puts a page in, or takes out {@code count} indices from one on. */
  record Change(boolean add, long index, long count) {}

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void itAgreesWithASortedMap(@ForAll("changes") List<Change> changes) {
    try (PhysicalMemory own = new PhysicalMemory(2 << 20)) {
      PageCache tree = new PageCache(own);
      TreeMap<Long, Long> map = new TreeMap<>();
      for (Change change : changes) {
        if (change.add) {
          long frame = own.allocate(FrameUse.FILE);
          Long there = map.putIfAbsent(change.index, frame);
          assertThat(tree.add(change.index, frame)).isEqualTo(there == null ? frame : there);
          own.put(frame);
        } else {
          var range = map.subMap(change.index, change.index + change.count);
          assertThat(tree.removeRange(change.index, change.index + change.count))
              .isEqualTo(range.size());
          range.clear();
        }
        assertThat(tree.size()).isEqualTo(map.size());
        assertThat(tree.get(change.index))
            .isEqualTo(map.getOrDefault(change.index, PhysicalMemory.NONE));
      }
      List<Long> indices = new ArrayList<>();
      tree.forEach((index, frame) -> {
        indices.add(index);
        assertThat(frame).isEqualTo(map.get(index));
      });
      assertThat(indices).containsExactlyElementsOf(map.keySet());
      assertThat(own.counts().file()).isEqualTo(map.size());
      tree.clear();
      assertThat(own.counts().file()).isZero();
      own.validate();
    }
  }

  @Provide
  Arbitrary<List<Change>> changes() {
    Arbitrary<Long> near = Arbitraries.longs().between(0, 200);
    Arbitrary<Long> far = Arbitraries.longs().between(0, 1L << 61);
    Arbitrary<Long> index = Arbitraries.oneOf(near, near, far);
    Arbitrary<Long> count = Arbitraries.oneOf(Arbitraries.longs().between(0, 100), far);
    return Combinators.combine(Arbitraries.of(true, true, true, false), index, count)
        .as(Change::new).list().ofMaxSize(120);
  }
}
