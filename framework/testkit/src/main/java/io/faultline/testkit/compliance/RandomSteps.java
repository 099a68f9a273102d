// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Histories at random, the same ones for the same seed. */
final class RandomSteps {
  private static final int LONGEST = 40;
  private static final int PLACES = 16;
  private static final int OFFSETS = 12;

  private final Random random;
  private final List<Window> windows;

  /**
   * @param windows parts of the device that are mapped too, beside its first pages
   */
  RandomSteps(long seed, List<Window> windows) {
    random = new Random(seed);
    this.windows = windows;
  }

  List<Step> history() {
    List<Step> steps = new ArrayList<>();
    if (random.nextInt(4) > 0) {
      steps.add(new Step.Fill());
    }
    int length = 5 + random.nextInt(LONGEST - 5);
    for (int i = 0; i < length; i++) {
      steps.add(step());
    }
    if (random.nextInt(4) == 0) {
      steps.add(new Step.Unplug());
    }
    return steps;
  }

  /** Mostly one of the first; sometimes one that is special. */
  private int offset() {
    if (windows.isEmpty() || random.nextInt(6) > 0) {
      return random.nextInt(OFFSETS);
    }
    Window window = windows.get(random.nextInt(windows.size()));
    return window.offset() + random.nextInt(window.pages());
  }

  private Step step() {
    int process = random.nextInt(3);
    int at = random.nextInt(PLACES);
    int pages = 1 + random.nextInt(4);
    return switch (random.nextInt(24)) {
      case 0, 1, 2, 3 -> new Step.Map(
          process, at, pages, offset(), random.nextInt(4) > 0,
          random.nextInt(4) > 0);
      case 4 -> new Step.MapOddly(
          process, Step.MapOddly.Odd.values()[random.nextInt(Step.MapOddly.Odd.values().length)]);
      case 5 -> new Step.Unmap(process, at, pages);
      case 6 -> new Step.Protect(process, at, pages, random.nextBoolean());
      case 7 -> new Step.Move(process, at, pages, random.nextInt(PLACES), 1 + random.nextInt(4));
      case 8 -> new Step.Grow(process, at, pages, 1 + random.nextInt(6));
      case 9 -> new Step.Fork(process);
      case 10 -> new Step.Exit(process);
      case 11, 12 -> new Step.Write(random.nextInt(OFFSETS));
      case 13 -> new Step.Read(random.nextInt(OFFSETS));
      case 14, 15, 16 -> new Step.Store(process, at);
      case 17 -> random.nextInt(3) > 0 ? new Step.Upgrade() : new Step.Replug();
      case 18 -> new Step.MapInNeed(
          process, at, pages, offset(), random.nextBoolean(), 1 + random.nextInt(4));
      case 19 -> new Step.LoadInNeed(process, at);
      case 20 -> new Step.WriteInNeed(random.nextInt(OFFSETS));
      default -> new Step.Load(process, at);
    };
  }
}
