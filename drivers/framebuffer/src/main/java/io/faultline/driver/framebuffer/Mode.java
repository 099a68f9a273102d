// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How the bytes of the memory are a picture: {@code fb_var_screeninfo}. Lines follow each other from the
 * memory's beginning, without a gap.
 *
 * @param width pixels in a line, 1 to 16384
 * @param height lines, 1 to 16384
 * @param bitsPerPixel 32, XRGB8888, or 16, RGB565; little-endian
 */
record Mode(int width, int height, int bitsPerPixel) {
  private static final int MAX = 16384;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** @throws IllegalArgumentException naming the part that is out of its range */
  Mode {
    check("width", width);
    check("height", height);
    if (bitsPerPixel != 32 && bitsPerPixel != 16) {
      throw new IllegalArgumentException(
          "bits.per.pixel: " + bitsPerPixel + " is neither 32 nor 16");
    }
  }

  private static void check(String name, int value) {
    if (value < 1 || value > MAX) {
      throw new IllegalArgumentException(name + ": " + value + " is not in 1.." + MAX);
    }
  }

  /** Bytes in a line ({@code line_length}). */
  int stride() {
    return width * (bitsPerPixel / 8);
  }

  /** Bytes in a picture. */
  long bytes() {
    return (long) stride() * height;
  }

  /**
   * The colour of a pixel.
   *
   * @param memory the picture's bytes
   * @return {@code 0xRRGGBB}
   */
  int rgb(MemorySegment memory, int x, int y) {
    long at = (long) y * stride() + (long) x * (bitsPerPixel / 8);
    if (bitsPerPixel == 32) {
      return memory.get(INT, at) & 0xffffff;
    }
    int pixel = memory.get(SHORT, at);
    // The high bits once more below, so that white is white.
    int red = pixel >> 11 & 31;
    int green = pixel >> 5 & 63;
    int blue = pixel & 31;
    return (red << 3 | red >> 2) << 16 | (green << 2 | green >> 4) << 8 | blue << 3 | blue >> 2;
  }

  /**
   * A colour as the memory has it.
   *
   * @param rgb {@code 0xRRGGBB}
   * @return 32 bits, or 16 in the low half
   */
  int pixel(int rgb) {
    return bitsPerPixel == 32
        ? rgb & 0xffffff
        : (rgb >> 19 & 31) << 11 | (rgb >> 10 & 63) << 5 | rgb >> 3 & 31;
  }

  /** As {@code fbset} and sysfs write it: {@code 320x200-32}. */
  @Override
  public String toString() {
    return width + "x" + height + "-" + bitsPerPixel;
  }
}
