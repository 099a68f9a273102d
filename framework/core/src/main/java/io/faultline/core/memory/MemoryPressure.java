// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/** Makes room when frames run out. Thread-safe. */
public interface MemoryPressure {
  /** Frames that an allocation for this use must leave free: the {@code min} watermark. */
  long reserve(FrameUse use);

  /** With fewer free frames than this, pages are taken out in the background. */
  long low();

  /** Has pages taken out in the background. Must return at once. */
  void wake();

  /**
   * Takes pages out on this thread. Waits for no lock that the caller may hold.
   *
   * @param frames how many are wanted
   * @return whether at least one was freed, by whomever
   */
  boolean reclaim(int frames);
}
