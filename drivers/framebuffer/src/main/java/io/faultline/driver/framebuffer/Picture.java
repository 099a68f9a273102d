// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** What was on the display at one moment. Immutable. */
final class Picture {
  private final int width;
  private final int height;
  private final int[] pixels;

  /**
   * @param width in pixels
   * @param height in pixels
   * @param pixels line by line, {@code 0xRRGGBB}; not to be changed any more
   */
  Picture(int width, int height, int[] pixels) {
    this.width = width;
    this.height = height;
    this.pixels = pixels;
  }

  int width() {
    return width;
  }

  int height() {
    return height;
  }

  /** The colour of a pixel, {@code 0xRRGGBB}. */
  int rgb(int x, int y) {
    return pixels[y * width + x];
  }

  /** A smaller picture, or a larger one: each pixel is the mean of those that it stands for. */
  Picture scaled(int newWidth, int newHeight) {
    if (newWidth == width && newHeight == height) {
      return this;
    }
    int[] scaled = new int[newWidth * newHeight];
    for (int y = 0; y < newHeight; y++) {
      int top = (int) ((long) y * height / newHeight);
      int bottom = (int) Math.max(top + 1, (y + 1L) * height / newHeight);
      for (int x = 0; x < newWidth; x++) {
        int left = (int) ((long) x * width / newWidth);
        int right = (int) Math.max(left + 1, (x + 1L) * width / newWidth);
        scaled[y * newWidth + x] = mean(left, top, right, bottom);
      }
    }
    return new Picture(newWidth, newHeight, scaled);
  }

  private int mean(int left, int top, int right, int bottom) {
    long red = 0;
    long green = 0;
    long blue = 0;
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        int rgb = rgb(x, y);
        red += rgb >> 16 & 255;
        green += rgb >> 8 & 255;
        blue += rgb & 255;
      }
    }
    long count = (long) (right - left) * (bottom - top);
    return (int) (red / count << 16 | green / count << 8 | blue / count);
  }

  /**
   * Writes it as PNG, over what is there.
   *
   * @return how many bytes the file has
   * @throws IOException why not
   */
  long write(Path file) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    image.setRGB(0, 0, width, height, pixels, 0, width);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      if (!ImageIO.write(image, "png", out)) {
        throw new IOException("this JDK has no writer for PNG");
      }
    }
    // Whole before the file is touched: what cannot be made costs nobody his old picture.
    Files.write(file, bytes.toByteArray());
    return bytes.size();
  }
}
