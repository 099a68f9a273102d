// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.util.Arrays;

/**
 * The places where an owner's pages may be mapped, each counted once for every area that is there:
 * what {@code i_mmap} and the tree of an anon_vma are in Linux. Thread-safe; a snapshot costs nothing.
 */
public final class Places {
  private static final Place[] NONE = {};

  /** Replaced whole, with this held. */
  private volatile Place[] places = NONE;
  /** How many areas each place has; parallel to {@link #places}. Guarded by this. */
  private int[] areas = {};

  /** One more area at a place. */
  public synchronized void add(int pid, long displacement) {
    int known = indexOf(pid, displacement);
    if (known >= 0) {
      areas[known]++;
      return;
    }
    int length = places.length;
    Place[] more = Arrays.copyOf(places, length + 1);
    more[length] = new Place(pid, displacement);
    areas = Arrays.copyOf(areas, length + 1);
    areas[length] = 1;
    places = more;
  }

  /**
   * One area less at a place.
   *
   * @throws IllegalStateException when there is none
   */
  public synchronized void remove(int pid, long displacement) {
    int known = indexOf(pid, displacement);
    if (known < 0) {
      throw new IllegalStateException(
          "no area of process %d at displacement 0x%x".formatted(pid, displacement));
    }
    areas[known]--;
    if (areas[known] > 0) {
      return;
    }
    int last = places.length - 1;
    Place[] fewer = Arrays.copyOf(places, last);
    int[] counts = Arrays.copyOf(areas, last);
    if (known < last) {
      fewer[known] = places[last];
      counts[known] = areas[last];
    }
    areas = counts;
    places = fewer;
  }

  private int indexOf(int pid, long displacement) {
    Place[] now = places;
    // The newest are asked for most.
    for (int i = now.length - 1; i >= 0; i--) {
      if (now[i].pid() == pid && now[i].displacement() == displacement) {
        return i;
      }
    }
    return -1;
  }

  /** All places at this moment; not to be changed. */
  public Place[] snapshot() {
    return places;
  }

  /** Whether no area is left. */
  public boolean isEmpty() {
    return places.length == 0;
  }
}
