// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.mm.Mman;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** Whatever is asked of physical memory in whatever order, it agrees with a plain map. */
class PhysicalMemoryProperties {
  private static final int FRAMES = 2 * 1024 + 100;

  /** One call; {@code pick} chooses among the live frames. */
  record Call(Kind kind, int order, int pick) {}

  enum Kind {
    ALLOCATE, RUN, GET, PUT, PUT_ALL
  }

  @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
  void itAgreesWithAMap(@ForAll("calls") List<Call> calls) {
    try (PhysicalMemory memory = new PhysicalMemory((long) FRAMES * Mman.PAGE_SIZE)) {
      Map<Long, Integer> references = new HashMap<>();
      List<Long> live = new ArrayList<>();
      for (Call call : calls) {
        switch (call.kind) {
          case ALLOCATE, RUN -> {
            int order = call.kind == Kind.RUN ? call.order : 0;
            long first = memory.allocateRun(order, FrameUse.ANONYMOUS);
            if (first == PhysicalMemory.NONE) {
              assertThat(hasFreeRun(references, memory.zeroFrame(), order)).isFalse();
              break;
            }
            assertThat(first % (1L << order)).isZero();
            for (long f = first; f < first + (1L << order); f++) {
              assertThat(references.put(f, 1)).as("frame %d was free", f).isNull();
              live.add(f);
              assertThat(tag(memory, f)).as("frame %d is zero", f).isZero();
              memory.segment(f).set(ValueLayout.JAVA_LONG, 4088, f);
            }
          }
          case GET -> {
            if (!live.isEmpty()) {
              long frame = live.get(call.pick % live.size());
              memory.get(frame);
              references.merge(frame, 1, Integer::sum);
            }
          }
          case PUT -> {
            if (!live.isEmpty()) {
              int at = call.pick % live.size();
              long frame = live.get(at);
              assertThat(tag(memory, frame)).as("frame %d is untouched", frame).isEqualTo(frame);
              memory.put(frame);
              if (references.merge(frame, -1, Integer::sum) == 0) {
                references.remove(frame);
                live.remove(at);
              }
            }
          }
          case PUT_ALL -> {
            for (long frame : live) {
              for (int i = references.remove(frame); i > 0; i--) {
                memory.put(frame);
              }
            }
            live.clear();
          }
        }
        assertThat(memory.counts().anonymous()).isEqualTo(references.size());
      }
      references.forEach((f, count) -> assertThat(memory.references(f)).isEqualTo(count));
      memory.validate();
    }
  }

  private static long tag(PhysicalMemory memory, long frame) {
    return memory.segment(frame).get(ValueLayout.JAVA_LONG, 4088);
  }

  private static boolean hasFreeRun(Map<Long, Integer> references, long zeroFrame, int order) {
    for (long first = 0; first + (1L << order) <= FRAMES; first += 1L << order) {
      boolean free = first != 0;
      for (long f = first; f < first + (1L << order); f++) {
        free &= !references.containsKey(f) && f != zeroFrame;
      }
      if (free) {
        return true;
      }
    }
    return false;
  }

  @Provide
  Arbitrary<List<Call>> calls() {
    Arbitrary<Kind> kinds = Arbitraries.frequency(
        Tuple.of(8, Kind.ALLOCATE), Tuple.of(8, Kind.RUN),
        Tuple.of(4, Kind.GET), Tuple.of(14, Kind.PUT),
        Tuple.of(1, Kind.PUT_ALL));
    return Combinators.combine(kinds, Arbitraries.integers().between(0, 10),
        Arbitraries.integers().between(0, 1 << 20)).as(Call::new).list().ofMaxSize(300);
  }
}
