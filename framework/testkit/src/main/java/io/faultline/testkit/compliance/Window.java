// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A part of the device, in the place of its first eight pages.
 *
 * @param offset first page
 * @param pages how many
 */
record Window(int offset, int pages) {
  /** No device is as long; in bytes the offset has more than 32 bits. */
  private static final int FAR = 1 << 30;
  /** So far is asked which pages there are. */
  private static final int HORIZON = 4096;

  /** Those that tell most of a device: one page, its middle, across its end, far behind it. */
  static List<Window> of(DriverCompliance compliance) {
    if (compliance.offsetSelectsMap()) {
      // A map is always mapped from its beginning.
      return List.of(new Window(0, 1), new Window(0, 3), new Window(1, 2));
    }
    Set<Window> windows = new LinkedHashSet<>(
        List.of(
            new Window(3, 1), new Window(2, 5), new Window(Step.PAGES - 2, 4),
            new Window(FAR, 2)));
    List<Integer> there = pages(compliance);
    if (!there.isEmpty()) {
      windows.add(new Window(Math.max(0, there.getLast() - 1), 4));
      int middle = there.get(there.size() / 2);
      windows.add(new Window(middle, 1));
      windows.add(new Window(Math.max(0, middle - 1), 3));
    }
    return List.copyOf(windows);
  }

  /** The pages that the device has by its test's account, up to the horizon, and the last one. */
  private static List<Integer> pages(DriverCompliance compliance) {
    Said said = new Said(compliance);
    List<Integer> there = new ArrayList<>();
    for (int page = 0; page < HORIZON; page++) {
      if (said.has(page)) {
        there.add(page);
      }
    }
    OptionalInt size = compliance.size();
    if (size.isPresent() && size.getAsInt() > HORIZON && said.has(size.getAsInt() - 1)) {
      there.add(size.getAsInt() - 1);
    }
    return there;
  }

  private Step.MapInNeed in(Step.MapInNeed map) {
    return new Step.MapInNeed(map.process(), map.at(), pages, offset, map.shared(), map.first());
  }

  /** The same history with this part of the device. */
  List<Step> in(List<Step> steps) {
    List<Step> moved = new ArrayList<>();
    for (Step step : steps) {
      moved.add(switch (step) {
        case Step.Map map -> in(map);
        case Step.MapInNeed map -> in(map);
        default -> step;
      });
      if (step instanceof Step.Fill) {
        moved.add(new Step.FillMore(offset, pages));
      }
    }
    return moved;
  }

  private Step.Map in(Step.Map map) {
    int count = map.pages() == Step.PAGES ? pages : Math.min(map.pages(), pages);
    int within = map.offset() < pages ? map.offset() : 0;
    return new Step.Map(
        map.process(), map.at(), count, offset + within, map.shared(), map.writable());
  }

  @Override
  public String toString() {
    return pages == 1 ? "page " + offset : "pages " + offset + "-" + (offset + pages - 1);
  }
}
