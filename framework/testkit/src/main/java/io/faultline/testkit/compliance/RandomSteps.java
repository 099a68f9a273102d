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

  RandomSteps(long seed) {
    random = new Random(seed);
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

  private Step step() {
    int process = random.nextInt(3);
    int at = random.nextInt(PLACES);
    int pages = 1 + random.nextInt(4);
    return switch (random.nextInt(21)) {
      case 0, 1, 2, 3 -> new Step.Map(
          process, at, pages, random.nextInt(OFFSETS), random.nextInt(4) > 0,
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
      default -> new Step.Load(process, at);
    };
  }
}
