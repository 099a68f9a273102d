// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a driver's calls during one history: which there were, and the first rule that one
 * of them broke. Thread-safe: guarded by its monitor, which is not held while the driver runs.
 */
final class Watch {
  /** How an area's pages come to be. */
  enum Backing {
    /** The driver's. */
    DEVICE,
    /** The kernel's zero-filled memory. */
    ANONYMOUS,
    /** A new object of shared memory. */
    SHARED_MEMORY,
    /** The page cache. */
    PAGE_CACHE
  }

  /** Ends a driver's endless loop at its next call. */
  static final class Abandoned extends Error {
    private static final long serialVersionUID = 1L;

    Abandoned() {
      super("the history is over", null, false, false);
    }
  }

  private final List<String> calls = new ArrayList<>();
  private final Map<Vma, ObservedVma> areas = new IdentityHashMap<>();
  private final Map<Page, Integer> pages = new HashMap<>();
  private Supplier<OptionalInt> counted = OptionalInt::empty;
  private @Nullable Violation violation;
  private @Nullable String failure;
  private @Nullable Backing backing;
  private String underWay = "";
  private int closes;
  private boolean concurrent;
  private final Scarcity scarcity = new Scarcity(this);
  private volatile boolean abandoned;

  /** Asks the driver for its own count of areas, where it has one. */
  synchronized void count(Supplier<OptionalInt> how) {
    counted = how;
  }

  synchronized void violated(Rule rule, String what) {
    if (violation == null) {
      violation = new Violation(rule, what);
    }
  }

  synchronized @Nullable Violation violation() {
    return violation;
  }

  /** What a callback did that the kernel had to contain, since the last time. */
  synchronized @Nullable String takeFailure() {
    String taken = failure;
    failure = null;
    return taken;
  }

  synchronized void failed(String what) {
    if (failure == null) {
      failure = what;
    }
  }

  /** The calls since the last time. */
  synchronized List<String> takeCalls() {
    List<String> taken = List.copyOf(calls);
    calls.clear();
    return taken;
  }

  synchronized void called(String call) {
    calls.add(call);
  }

  /** While several threads fault at once nobody can say which reference is whose. */
  synchronized void concurrent(boolean now) {
    concurrent = now;
  }

  /** Areas that were closed so far. */
  synchronized int closes() {
    return closes;
  }

  synchronized void backing(Backing of) {
    backing = of;
  }

  /** How the area of the last mmap is backed; null when the driver was not asked. */
  synchronized @Nullable Backing takeBacking() {
    Backing taken = backing;
    backing = null;
    return taken;
  }

  /** The callback that does not come back, or nothing. */
  synchronized String underWay() {
    return underWay;
  }

  /** Whether the driver gets memory. */
  Scarcity scarcity() {
    return scarcity;
  }

  void abandon() {
    abandoned = true;
  }

  void stopIfAbandoned() {
    if (abandoned) {
      throw new Abandoned();
    }
  }

  synchronized ObservedVma vma(Vma area) {
    return areas.computeIfAbsent(area, a -> new ObservedVma(a, this));
  }

  synchronized void closed(Vma area) {
    closes++;
    ObservedVma observed = areas.remove(area);
    if (observed != null) {
      observed.close();
    }
  }

  /** A driver's callback. */
  @FunctionalInterface
  interface Callback<T extends @Nullable Object> {
    T call() throws ErrnoException;
  }

  /**
   * Makes a call, and sees that the driver's own count of areas changes as it should.
   *
   * @param change by how much when the call succeeds; one that is refused changes nothing
   */
  <T extends @Nullable Object> T counting(String what, int change, Callback<T> callback)
      throws ErrnoException {
    OptionalInt before = count();
    called(what);
    String outer = begin(what);
    boolean done = false;
    try {
      T answer = callback.call();
      done = true;
      return answer;
    } catch (ErrnoException refused) {
      called("  refused: " + refused.getMessage());
      throw refused;
    } catch (RuntimeException | Error thrown) {
      threw(what, thrown);
      throw thrown;
    } finally {
      String unused = begin(outer);
      checkCount(what, before, done ? change : 0, done);
    }
  }

  synchronized String begin(String what) {
    String outer = underWay;
    underWay = what;
    return outer;
  }

  private OptionalInt count() {
    Supplier<OptionalInt> how;
    synchronized (this) {
      if (concurrent) {
        return OptionalInt.empty();
      }
      how = counted;
    }
    return how.get();
  }

  private void checkCount(String what, OptionalInt before, int change, boolean done) {
    OptionalInt after = count();
    if (before.isPresent() && after.isPresent()
        && after.getAsInt() != before.getAsInt() + change) {
      violated(
          done ? Rule.AREAS_ARE_COUNTED : Rule.REFUSED_MMAP_LEAVES_NOTHING,
          "the driver counted " + before.getAsInt() + " areas before " + what
              + (done ? "" : ", which it refused,") + " and counts " + after.getAsInt()
              + " afterwards; it should be " + (before.getAsInt() + change));
    }
  }

  /** A callback threw: over a page that was freed under the driver, or for a reason of its own. */
  synchronized void threw(String call, Throwable thrown) {
    List<Page> gone = pages.keySet().stream().filter(page -> page.referenceCount() == 0).toList();
    if (!(thrown instanceof IllegalStateException) || gone.isEmpty()) {
      failed(call + " threw " + thrown);
      return;
    }
    List<Page> givenAway = gone.stream().filter(page -> pages.getOrDefault(page, 0) == 1).toList();
    if (givenAway.isEmpty()) {
      violated(
          Rule.PAGE_IS_ALIVE,
          call + " threw " + thrown + "; the driver has put frames " + frames(gone));
    } else {
      violated(
          Rule.PAGE_HAS_A_REFERENCE,
          call + " threw " + thrown + "; nopage had answered with frames " + frames(givenAway)
              + " and the driver's only reference, which went when they were unmapped");
    }
  }

  private static List<Long> frames(List<Page> pages) {
    return pages.stream().map(Page::frameNumber).sorted().toList();
  }

  /** Before a call of nopage: the references of the pages that it may answer with. */
  synchronized Map<Page, Integer> references() {
    Map<Page, Integer> now = new HashMap<>();
    pages.keySet().forEach(page -> now.put(page, page.referenceCount()));
    return now;
  }

  /** After it. */
  synchronized void answered(String call, @Nullable Nopage answer, Map<Page, Integer> before) {
    calls.add(call + " = " + answer);
    if (answer == null) {
      failed(call + " returned null");
      return;
    }
    Page page = answer.page();
    if (page == null || concurrent) {
      return;
    }
    Integer had = before.get(page);
    int has = page.referenceCount();
    if (has == 0 && pages.getOrDefault(page, 0) == 1) {
      violated(
          Rule.PAGE_HAS_A_REFERENCE,
          call + " answered with frame " + page.frameNumber() + ", which is freed: it was answered"
              + " before with the driver's only reference, and is unmapped since");
    } else if (has == 0) {
      violated(
          Rule.PAGE_IS_ALIVE,
          call + " answered with frame " + page.frameNumber() + ", which is freed"
              + (had == null ? "" : "; it was good when it was returned before"));
    } else if (had != null && has <= had) {
      violated(
          Rule.PAGE_HAS_A_REFERENCE,
          call + " answered with frame " + page.frameNumber() + ", which had " + had
              + " references before and has " + has + " now; there should be one more");
    } else if (had != null && has > had + 1) {
      violated(
          Rule.NO_REFERENCE_IS_LEAKED,
          call + " answered with frame " + page.frameNumber() + ", which had " + had
              + " references before and has " + has + " now; there should be one more");
    }
    pages.put(page, has);
  }
}
