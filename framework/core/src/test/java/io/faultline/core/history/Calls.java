// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import io.faultline.mm.Mman;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;

/** Random calls: many small mappings close to each other, so that they split, meet and merge. */
final class Calls {
  /** No address is named: the kernel chooses. */
  static final int ANYWHERE = -1000;

  private Calls() {}

  static Arbitrary<List<Step>> histories(int longest) {
    return Combinators.combine(Arbitraries.integers().between(0, 3), calls()).as(Step::new)
        .withoutEdgeCases().list().ofMinSize(1).ofMaxSize(longest)
        .withSizeDistribution(RandomDistribution.uniform());
  }

  private static Arbitrary<Call> calls() {
    return Arbitraries.frequencyOf(
        Tuple.of(20, mmaps()),
        Tuple.of(8, Combinators.combine(page(), pages()).as(Call.Munmap::new)),
        Tuple.of(12, Combinators.combine(page(), pages(), prot()).as(Call.Mprotect::new)),
        Tuple.of(10, mremaps()),
        Tuple.of(3, Combinators.combine(uniform(-1, 20), uniform(0, 4095)).as(Call.Brk::new)),
        Tuple.of(4, Combinators.combine(page(), pages(), flag()).as(Call.Mlock::new)),
        Tuple.of(3, Combinators.combine(page(), pages()).as(Call.Munlock::new)),
        Tuple.of(1, Combinators.combine(page(), pages(), sync()).as(Call.Msync::new)),
        Tuple.of(10, Combinators.combine(page(), pages(), advice()).as(Call.Madvise::new)),
        Tuple.of(20, Combinators.combine(page(), pages(), uniform(1, 1000)).as(Call.Write::new)),
        Tuple.of(10, Combinators.combine(page(), pages()).as(Call.Read::new)),
        Tuple.of(3, Arbitraries.just(new Call.Fork())),
        Tuple.of(1, Arbitraries.just(new Call.Exit())));
  }

  private static Arbitrary<Call> mmaps() {
    Arbitrary<Integer> place =
        Arbitraries.frequencyOf(Tuple.of(1, Arbitraries.just(ANYWHERE)), Tuple.of(3, page()));
    Arbitrary<Integer> flags =
        Arbitraries.frequency(
            Tuple.of(6, Mman.MAP_FIXED), Tuple.of(1, 0), Tuple.of(1, Mman.MAP_FIXED_NOREPLACE));
    Arbitrary<Integer> more =
        Arbitraries.frequency(
            Tuple.of(8, 0), Tuple.of(1, Mman.MAP_POPULATE), Tuple.of(1, Mman.MAP_LOCKED));
    Arbitrary<Source> source =
        Arbitraries.frequency(
            Tuple.of(10, new Source(-1, true, false)),
            Tuple.of(4, new Source(-1, true, true)),
            Tuple.of(3, new Source(0, true, true)),
            Tuple.of(2, new Source(0, true, false)),
            Tuple.of(1, new Source(0, false, true)),
            Tuple.of(1, new Source(0, false, false)),
            Tuple.of(3, new Source(1, true, true)),
            Tuple.of(2, new Source(1, true, false)));
    return Combinators.combine(place, pages(), prot(), flags, more, source, uniform(0, 9))
        .as(
            (page, pages, prot, fixed, extra, what, offset) -> new Call.Mmap(
                page, pages, prot, (page == ANYWHERE ? 0 : fixed) | extra, what, offset));
  }

  private static Arbitrary<Call> mremaps() {
    Arbitrary<Integer> flags =
        Arbitraries.frequency(
            Tuple.of(2, 0),
            Tuple.of(4, Mman.MREMAP_MAYMOVE),
            Tuple.of(4, Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED),
            Tuple.of(1, Mman.MREMAP_FIXED),
            Tuple.of(1, Mman.MREMAP_MAYMOVE | Mman.MREMAP_DONTUNMAP),
            Tuple.of(
                1, Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED | Mman.MREMAP_DONTUNMAP));
    Arbitrary<Integer> growth =
        Arbitraries.frequencyOf(Tuple.of(2, Arbitraries.just(0)), Tuple.of(3, uniform(-8, 8)));
    return Combinators.combine(page(), pages(), growth, flags, page())
        .as(
            (page, old, more, flag, target) -> new Call.Mremap(
                page, old, Math.max(0, old + more), flag, target));
  }

  private static Arbitrary<Integer> advice() {
    return Arbitraries.frequency(
        Tuple.of(6, Mman.MADV_DONTNEED), Tuple.of(1, Mman.MADV_DONTNEED_LOCKED),
        Tuple.of(2, Mman.MADV_DONTFORK), Tuple.of(2, Mman.MADV_DOFORK),
        Tuple.of(2, Mman.MADV_WIPEONFORK), Tuple.of(2, Mman.MADV_KEEPONFORK),
        Tuple.of(2, Mman.MADV_REMOVE), Tuple.of(2, Mman.MADV_POPULATE_READ),
        Tuple.of(2, Mman.MADV_POPULATE_WRITE), Tuple.of(1, Mman.MADV_GUARD_INSTALL),
        Tuple.of(1, Mman.MADV_GUARD_REMOVE));
  }

  private static Arbitrary<Integer> sync() {
    return Arbitraries.of(Mman.MS_SYNC, Mman.MS_ASYNC, Mman.MS_SYNC | Mman.MS_INVALIDATE);
  }

  /** Mostly what can be read and written, so that there is something to see. */
  private static Arbitrary<Integer> prot() {
    return Arbitraries.frequencyOf(
        Tuple.of(3, Arbitraries.just(Mman.PROT_READ | Mman.PROT_WRITE)),
        Tuple.of(2, uniform(0, 7)));
  }

  private static Arbitrary<Integer> page() {
    return Arbitraries.frequencyOf(Tuple.of(5, uniform(12, 40)), Tuple.of(1, uniform(-10, 63)));
  }

  private static Arbitrary<Integer> pages() {
    return Arbitraries.frequencyOf(Tuple.of(12, uniform(1, 8)), Tuple.of(1, uniform(0, 30)));
  }

  private static Arbitrary<Boolean> flag() {
    return Arbitraries.of(false, true);
  }

  private static Arbitrary<Integer> uniform(int min, int max) {
    return Arbitraries.integers().between(min, max)
        .withDistribution(RandomDistribution.uniform());
  }
}
