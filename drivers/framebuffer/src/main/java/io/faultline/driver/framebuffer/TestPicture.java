// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

/** A picture to try a display with: colour bars, and below them all shades of grey. */
final class TestPicture {
  private static final int[] BARS = {
    0xffffff, 0xffff00, 0x00ffff, 0x00ff00, 0xff00ff, 0xff0000, 0x0000ff, 0x000000};

  private TestPicture() {}

  /** The colour of a pixel of a picture of that size, {@code 0xRRGGBB}. */
  static int rgb(int x, int y, int width, int height) {
    if (y < height * 3 / 4) {
      return BARS[x * BARS.length / width];
    }
    return (width == 1 ? 255 : x * 255 / (width - 1)) * 0x010101;
  }
}
