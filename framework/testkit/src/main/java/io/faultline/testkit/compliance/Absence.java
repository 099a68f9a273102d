// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.UnplugPolicy;
import io.faultline.mm.SignalException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What processes get while the driver is away, which is the kernel's answer; and what a process gets
 * that has waited for the driver to come back.
 */
final class Absence {
  private static final int STILL_WAITS_MILLIS = 20;
  private static final int COMES_BACK_SECONDS = 60;

  /** An access by a thread of its own. */
  private record Waiting(Actor actor, int at, Actor.Cell cell, CompletableFuture<Long> access) {}

  private final UnplugPolicy policy;
  private final Watch watch;
  private @Nullable Waiting waiting;

  Absence(UnplugPolicy policy, Watch watch) {
    this.policy = policy;
    this.watch = watch;
  }

  /** The driver has gone: looks at a page of the device that this process shares. */
  void look(Actor actor, int at, Actor.Cell cell) {
    switch (policy) {
      case SIGBUS -> refused(actor, at);
      case ZERO -> zero(actor, at);
      case WAIT -> await(actor, at, cell);
    }
  }

  private void refused(Actor actor, int at) {
    try {
      long got = actor.program.memory().getLong(Places.address(at));
      watch.violated(
          Rule.UNPLUGGED_IS_SIGBUS,
          "a load from " + at + " got 0x" + Long.toHexString(got) + " from a driver that is gone");
    } catch (SignalException expected) {
      // As it must be.
    }
  }

  private void zero(Actor actor, int at) {
    long got = actor.program.memory().getLong(Places.address(at));
    if (got != 0) {
      watch.violated(
          Rule.UNPLUGGED_IS_SIGBUS,
          "a load from " + at + " got 0x" + Long.toHexString(got) + " from a driver that is gone;"
              + " with UnplugPolicy.ZERO it is 0");
    }
  }

  /** One is enough: each takes its time. */
  private void await(Actor actor, int at, Actor.Cell cell) {
    if (waiting != null) {
      return;
    }
    CompletableFuture<Long> access = new CompletableFuture<>();
    Thread unused = Thread.ofPlatform().daemon().start(() -> {
      try {
        access.complete(actor.program.task().newCpu().getLong(Places.address(at)));
      } catch (SignalException signal) {
        access.completeExceptionally(signal);
      }
    });
    waiting = new Waiting(actor, at, cell, access);
    try {
      long got = access.get(STILL_WAITS_MILLIS, TimeUnit.MILLISECONDS);
      watch.violated(
          Rule.UNPLUGGED_IS_SIGBUS,
          "a load from " + at + " got 0x" + Long.toHexString(got) + " from a driver that is gone;"
              + " with UnplugPolicy.WAIT it waits");
    } catch (TimeoutException expected) {
      // As it must be.
    } catch (ExecutionException signal) {
      throw new AssertionError("with UnplugPolicy.WAIT an access waits", signal);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The driver is back: judges what the one that waited got. */
  void over(Contents contents, DeviceFile file) {
    Waiting one = waiting;
    if (one == null) {
      return;
    }
    Boolean has = file.has(one.actor(), one.cell().page);
    try {
      contents.loaded(
          one.at(), one.cell(), has, one.access().get(COMES_BACK_SECONDS, TimeUnit.SECONDS));
    } catch (ExecutionException refused) {
      if (refused.getCause() instanceof SignalException signal) {
        contents.refused(one.at(), one.cell(), has, signal, watch.takeFailure());
      }
    } catch (TimeoutException e) {
      watch.violated(
          Rule.WHAT_IS_LEFT_IS_ADOPTED,
          "a load from " + one.at() + " waited for the driver, and still does though it came back");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
