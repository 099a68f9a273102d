// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.mm.Access;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** Entries keep what is put into them. */
class PteTest {
  @Property(tries = 300)
  void anEntryKeepsItsFrameKeyAndFlags(@ForAll @LongRange(max = (1L << 40) - 1) long frame,
      @ForAll @IntRange(max = 15) int key, @ForAll boolean write, @ForAll boolean execute) {
    long flags = Pte.ANON | Pte.DIRTY | Pte.ACCESSED;
    long entry = Pte.of(frame, Pte.protection(true, write, execute, key), flags);
    assertThat(Pte.frame(entry)).isEqualTo(frame);
    assertThat(Pte.protectionKey(entry)).isEqualTo(key);
    assertThat(Pte.isPresent(entry)).isTrue();
    assertThat(Pte.isWritable(entry)).isEqualTo(write);
    assertThat(Pte.isExecutable(entry)).isEqualTo(execute);
    assertThat(Pte.isAnonymous(entry)).isTrue();
    assertThat(Pte.isDirty(entry)).isTrue();
    assertThat(Pte.isAccessed(entry)).isTrue();
    assertThat(Pte.isSpecial(entry)).isFalse();
    assertThat(Pte.isSwap(entry) || Pte.isGuard(entry)).isFalse();
  }

  @Property(tries = 100)
  void aPageOfAProtNoneAreaKeepsItsFrameAndAllowsNothing(
      @ForAll @LongRange(max = (1L << 40) - 1) long frame, @ForAll @IntRange(max = 15) int key) {
    long entry = Pte.of(frame, Pte.protection(false, false, false, key), Pte.DIRTY);
    assertThat(Pte.hasFrame(entry)).isTrue();
    assertThat(Pte.frame(entry)).isEqualTo(frame);
    for (Access access : Access.values()) {
      assertThat(Rights.allows(entry, access, 0)).isFalse();
    }
    assertThat(Pte.isSwap(entry) || Pte.isGuard(entry)).isFalse();
    long again = Pte.withProtection(entry, Pte.protection(true, true, false, key));
    assertThat(Pte.frame(again)).isEqualTo(frame);
    assertThat(Pte.isWritable(again)).isTrue();
    assertThat(Pte.isDirty(again)).as("its state survives").isTrue();
  }

  @Property(tries = 100)
  void aSwapEntryHasASlotAndNoFrame(@ForAll @LongRange(max = (1L << 40) - 1) long slot) {
    long entry = Pte.swap(slot);
    assertThat(Pte.isSwap(entry)).isTrue();
    assertThat(Pte.swapSlot(entry)).isEqualTo(slot);
    assertThat(Pte.hasFrame(entry)).isFalse();
    assertThat(Pte.isGuard(entry)).isFalse();
    assertThat(entry).isNotEqualTo(Pte.NONE);
  }

  @Property(tries = 1)
  void aGuardIsNeitherNothingNorAFrame() {
    assertThat(Pte.isGuard(Pte.GUARD)).isTrue();
    assertThat(Pte.hasFrame(Pte.GUARD)).isFalse();
    assertThat(Pte.isSwap(Pte.GUARD)).isFalse();
    assertThat(Pte.isGuard(Pte.NONE)).isFalse();
    assertThat(Pte.isSwap(Pte.NONE)).isFalse();
  }

  @Property(tries = 100)
  void aProtectionKeyRestrictsDataAndNotExecution(@ForAll @IntRange(max = 15) int key) {
    long entry = Pte.of(5, Pte.protection(true, true, true, key), 0);
    int accessDisable = 1 << 2 * key;
    int writeDisable = 2 << 2 * key;
    assertThat(Rights.allows(entry, Access.READ, ~(3 << 2 * key))).isTrue();
    assertThat(Rights.allows(entry, Access.WRITE, ~(3 << 2 * key))).isTrue();
    assertThat(Rights.allows(entry, Access.READ, accessDisable)).isFalse();
    assertThat(Rights.allows(entry, Access.WRITE, accessDisable)).isFalse();
    assertThat(Rights.allows(entry, Access.EXECUTE, accessDisable)).isTrue();
    assertThat(Rights.allows(entry, Access.READ, writeDisable)).isTrue();
    assertThat(Rights.allows(entry, Access.WRITE, writeDisable)).isFalse();
  }

  @Property(tries = 1)
  void everyEntryHasAText() {
    assertThat(Pte.toString(0)).isEqualTo("none");
    assertThat(Pte.toString(Pte.GUARD)).isEqualTo("guard");
    assertThat(Pte.toString(Pte.swap(9))).isEqualTo("swap slot 9");
    assertThat(Pte.toString(Pte.of(7, Pte.protection(true, true, false, 3),
        Pte.ANON | Pte.DIRTY | Pte.ACCESSED | Pte.SPECIAL)))
        .isEqualTo("frame 7 rw- accessed dirty anon special pkey 3");
  }
}
