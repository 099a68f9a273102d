// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

import java.util.EnumSet;
import java.util.Set;

/**
 * An immutable set of {@link VmFlag}s, {@code vm_flags} of an area. Bits 32 to 35 hold the
 * protection key, as on x86-64.
 *
 * @param bits the {@code vm_flags} word
 */
public record VmFlags(long bits) {
  /** Where the four bits of the protection key begin. */
  public static final int PKEY_SHIFT = 32;

  /** The four bits of the protection key. */
  public static final long PKEY_MASK = 0xfL << PKEY_SHIFT;

  /** No flag at all. */
  public static final VmFlags NONE = new VmFlags(0);

  /** The set of the given flags. */
  public static VmFlags of(VmFlag... flags) {
    return NONE.with(flags);
  }

  /** Whether the flag is in the set. */
  public boolean has(VmFlag flag) {
    return (bits & flag.mask()) != 0;
  }

  /** This set and the given flags. */
  public VmFlags with(VmFlag... flags) {
    long result = bits;
    for (VmFlag flag : flags) {
      result |= flag.mask();
    }
    return new VmFlags(result);
  }

  /** This set less the given flags. */
  public VmFlags without(VmFlag... flags) {
    long result = bits;
    for (VmFlag flag : flags) {
      result &= ~flag.mask();
    }
    return new VmFlags(result);
  }

  /** The protection key, 0 to 15. */
  public int protectionKey() {
    return (int) ((bits & PKEY_MASK) >>> PKEY_SHIFT);
  }

  /** The flags as a mutable set of the caller's own. */
  public Set<VmFlag> toSet() {
    EnumSet<VmFlag> set = EnumSet.noneOf(VmFlag.class);
    for (VmFlag flag : VmFlag.values()) {
      if (has(flag)) {
        set.add(flag);
      }
    }
    return set;
  }

  /** The letters of smaps' {@code VmFlags} line, in Linux's order, each followed by a blank. */
  public String mnemonics() {
    StringBuilder text = new StringBuilder();
    for (VmFlag flag : VmFlag.values()) {
      if (has(flag)) {
        text.append(flag.mnemonic()).append(' ');
      }
    }
    return text.toString();
  }

  @Override
  public String toString() {
    return mnemonics().stripTrailing();
  }
}
