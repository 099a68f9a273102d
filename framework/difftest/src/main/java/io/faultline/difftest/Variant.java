// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

/**
 * What kind of process a history runs in.
 *
 * @param nobody an ordinary user without capabilities
 * @param legacyLayout mappings are placed from a third of user space upwards (ADDR_COMPAT_LAYOUT)
 * @param wideStack its stack had no limit at {@code execve}: mappings begin far below it
 */
record Variant(boolean nobody, boolean legacyLayout, boolean wideStack) {
  /** The variant of a history: half of all are as most processes are. */
  static Variant of(long seed, int level) {
    int kind = Math.floorMod(seed, 8);
    return new Variant(level >= 4 && kind % 4 == 3, kind == 5, kind == 6);
  }

  /** Behind a history's name. */
  String suffix() {
    return (nobody ? "-nobody" : "") + (legacyLayout ? "-legacy" : "")
        + (wideStack ? "-wide" : "");
  }
}
