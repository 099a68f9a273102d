// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmOperations;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is taken away from a thread whose call into a driver is given up, and what is not. */
class HeldLocksTest {
  /** Counts how often it is let go of in somebody's place. */
  private static final class Lock implements HeldLocks.Shared {
    final AtomicInteger lost = new AtomicInteger();

    @Override
    public void letGo() {
      lost.incrementAndGet();
    }

    @Override
    public void afterLettingGo() {}
  }

  private final DeviceRig rig = new DeviceRig();
  private final DeviceNode node =
      rig.table.register(DeviceRig.named("d"), DeviceRig.mapping(new VmOperations() {}))
          .nodes().getFirst();
  private final CallSlot slot = new CallSlot(Thread.currentThread());
  private final HeldLocks held = slot.held();
  private final Lock outer = new Lock();
  private final Lock inner = new Lock();

  HeldLocksTest() throws ErrnoException {}

  @AfterEach
  void close() {
    rig.close();
  }

  private CallFrame enter() {
    return Objects.requireNonNull(slot.enter(node, "nopage", false));
  }

  private void assertLost(CallFrame call) {
    assertThatThrownBy(() -> slot.exit(call, node)).isInstanceOf(AbandonedCallError.class);
  }

  @Test
  void whatWasHeldWhenTheCallBeganIsTakenAway() {
    held.readingBegins(outer);
    CallFrame call = enter();

    assertThat(slot.abandon(call)).containsExactly(outer);

    assertThat(outer.lost).hasValue(1);
    assertThat(held.isReading(outer)).isFalse();
    assertLost(call);
    assertThat(held.readingEnds(outer)).as("there is nothing to let go").isFalse();
  }

  @Test
  void whatTheDriverUsesJustNowIsNot() {
    held.readingBegins(outer);
    CallFrame call = enter();
    // The callback touches another process's memory.
    held.readingBegins(inner);

    assertThat(slot.abandon(call)).containsExactly(outer);

    assertThat(inner.lost).hasValue(0);
    assertThat(held.isReading(inner)).isTrue();
    assertThat(held.readingEnds(inner)).as("the thread lets go itself").isTrue();
    assertLost(call);
  }

  @Test
  void aCallWithinThatLosesNothingEndsAsUsual() {
    held.readingBegins(outer);
    CallFrame call = enter();
    held.readingBegins(inner);
    CallFrame nested = enter();
    assertThat(slot.abandon(call)).containsExactly(outer);

    assertThatCode(() -> slot.exit(nested, node)).doesNotThrowAnyException();

    assertThat(held.readingEnds(inner)).isTrue();
    assertLost(call);
  }

  @Test
  void aCallWithinThatIsGivenUpTakesAllWithIt() {
    held.readingBegins(outer);
    CallFrame call = enter();
    held.readingBegins(inner);
    CallFrame nested = enter();

    assertThat(slot.abandon(nested)).containsExactlyInAnyOrder(outer, inner);

    assertLost(nested);
    assertThat(held.readingEnds(inner)).isFalse();
    assertLost(call);
    assertThat(held.readingEnds(outer)).isFalse();
  }

  @Test
  void nothingIsTakenTwice() {
    held.readingBegins(outer);
    CallFrame call = enter();
    assertThat(slot.abandon(call)).containsExactly(outer);
    // After it was given up, the driver goes on and comes by another one.
    held.readingBegins(inner);
    CallFrame nested = enter();

    assertThat(slot.abandon(nested)).containsExactly(inner);

    assertThat(outer.lost).hasValue(1);
    assertThat(inner.lost).hasValue(1);
  }

  @Test
  void whatTheKernelHoldsOnlyToLookStays() {
    held.readingBegins(outer);
    held.lastingBegins();
    CallFrame call = enter();

    assertThat(slot.abandon(call)).isEmpty();

    assertThatCode(() -> slot.exit(call, node)).doesNotThrowAnyException();
    assertThat(held.readingEnds(outer)).isTrue();
  }

  @Test
  void aPageGoesInOnlyWhereTheLockOfItsCallIsStillHeld() throws ErrnoException {
    held.readingBegins(outer);
    CallFrame call = enter();
    held.readingBegins(inner);
    CallFrame nested = enter();
    assertThat(slot.abandon(call)).containsExactly(outer);

    AtomicInteger inserted = new AtomicInteger();
    assertThat(held.whileHeld(nested, inserted::incrementAndGet)).isTrue();
    assertThat(held.whileHeld(call, inserted::incrementAndGet)).isFalse();
    assertThat(slot.abandon(nested)).containsExactly(inner);
    assertThat(held.whileHeld(nested, inserted::incrementAndGet)).isFalse();
    assertThat(held.whileHeld(call, inserted::incrementAndGet)).isFalse();

    assertThat(inserted).hasValue(1);
  }

  @Test
  void theThreadWorksAsBeforeAfterwards() {
    held.readingBegins(outer);
    CallFrame call = enter();
    assertThat(slot.abandon(call)).containsExactly(outer);
    assertLost(call);
    assertThat(held.readingEnds(outer)).isFalse();

    held.readingBegins(outer);
    CallFrame next = enter();
    assertThatCode(() -> slot.exit(next, node)).doesNotThrowAnyException();

    assertThat(held.readingEnds(outer)).isTrue();
    assertThat(outer.lost).hasValue(1);
  }
}
