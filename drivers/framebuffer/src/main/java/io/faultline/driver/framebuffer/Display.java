// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;

/**
 * What the display shows: what was sent to it, and not what is in the memory by now. (For a panel behind a
 * slow bus that is the memory in the panel.) Thread-safe.
 */
final class Display {
  private final MemorySegment shown;

  /** Shows the memory as it is. */
  Display(VideoMemory memory) {
    shown = MemorySegment.ofArray(new byte[(int) memory.size()]);
    shown.copyFrom(memory.bytes());
  }

  /** Sends a page. */
  synchronized void send(VideoMemory memory, int page) {
    long at = (long) page << Mman.PAGE_SHIFT;
    MemorySegment.copy(memory.bytes(), at, shown, at, Mman.PAGE_SIZE);
  }

  /** The picture. */
  synchronized Picture picture(Mode mode) {
    int[] rgb = new int[mode.width() * mode.height()];
    for (int y = 0, i = 0; y < mode.height(); y++) {
      for (int x = 0; x < mode.width(); x++) {
        rgb[i++] = mode.rgb(shown, x, y);
      }
    }
    return new Picture(mode.width(), mode.height(), rgb);
  }
}
