// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs histories, each on a machine of its own; shortens one that fails. */
final class History {
  private static final int MAX_RUNS = 3000;

  private History() {}

  /** A way to run a history. */
  @FunctionalInterface
  interface Run {
    /**
     * @throws AssertionError when something is wrong
     */
    void run(List<Step> steps);
  }

  /**
   * With memory enough: the engine and the model must agree after every step.
   *
   * @throws AssertionError naming the step
   */
  static void compare(List<Step> steps) {
    compare(steps, Machine.ENOUGH, 0);
  }

  /**
   * As {@link #compare(List)}, where memory is scarce, but there is plenty of swap space: nobody must
   * see any difference.
   */
  static void compareSwapping(List<Step> steps) {
    compare(steps, Machine.SWAPPING, Machine.SWAP_SLOTS);
  }

  private static void compare(List<Step> steps, long bytes, int swapSlots) {
    try (Machine machine = new Machine(bytes, swapSlots)) {
      for (int i = 0; i < steps.size(); i++) {
        Step step = steps.get(i);
        try {
          step.call().run(machine, machine.process(step.process()));
          machine.validate();
          machine.compare();
        } catch (AssertionError | RuntimeException wrong) {
          throw new AssertionError("step " + i + step + "\n  " + wrong, wrong);
        }
      }
      machine.compareContents();
      machine.compareEnd();
    } catch (ErrnoException refused) {
      throw new AssertionError("a machine cannot be set up: " + refused, refused);
    }
  }

  /**
   * With memory so scarce that pages cannot be had here and there: what the model says is of no
   * interest then, but the engine must stay sound and lose nothing.
   *
   * @throws AssertionError naming the step
   */
  static void starve(List<Step> steps) {
    try (Machine machine = new Machine(Machine.SCARCE, 0)) {
      for (int i = 0; i < steps.size(); i++) {
        Step step = steps.get(i);
        try {
          runWithoutModel(machine, step);
          machine.validate();
        } catch (AssertionError | RuntimeException wrong) {
          throw new AssertionError("step " + i + step + "\n  " + wrong, wrong);
        }
      }
      machine.compareEnd();
    } catch (ErrnoException refused) {
      throw new AssertionError("a machine cannot be set up: " + refused, refused);
    }
  }

  private static void runWithoutModel(Machine machine, Step step) {
    try {
      step.call().run(machine, machine.process(step.process()));
    } catch (Answer.EngineBroken broken) {
      throw broken;
    } catch (AssertionError | RuntimeException modelOutOfStep) {
      // It knows of no memory that is used up.
    }
  }

  private static @Nullable Throwable failure(Run how, List<Step> steps) {
    try {
      how.run(steps);
      return null;
    } catch (AssertionError | RuntimeException wrong) {
      return wrong;
    }
  }

  /**
   * Leaves out steps, in ever smaller pieces, as long as the history still fails.
   *
   * @return an error with the short history and what it fails with
   */
  static AssertionError shorten(Run how, List<Step> failing, Throwable failure) {
    List<Step> shortest = failing;
    Throwable cause = failure;
    int runs = 0;
    int piece = Math.max(1, failing.size() / 2);
    while (runs < MAX_RUNS) {
      boolean shorter = false;
      for (int start = 0; start < shortest.size() && runs < MAX_RUNS; runs++) {
        List<Step> without = new ArrayList<>(shortest);
        without.subList(start, Math.min(start + piece, shortest.size())).clear();
        Throwable stillFails = failure(how, without);
        if (stillFails != null) {
          shortest = without;
          cause = stillFails;
          shorter = true;
        } else {
          start += piece;
        }
      }
      if (!shorter && piece == 1) {
        break;
      }
      piece = Math.max(1, piece / 2);
    }
    return new AssertionError(
        "wrong at the end of this history: " + shortest + "\n" + cause.getMessage(),
        cause);
  }
}
