// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import org.jspecify.annotations.Nullable;

/** An event whose result is compared with the kernel's. */
public sealed interface ScoredEvent extends Event permits SystemCall, Touch {
  /**
   * What the kernel answered: {@code 0x…} or {@code 0} for an address, a decimal number, {@code -1
   * ERRNO}; for a touch {@code ok} or {@code SIGNAL (CODE)}; null when the call never returned.
   */
  @Nullable String expected();
}
