// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import java.util.ArrayList;
import java.util.List;

/**
 * A picture as text. With colours each character is two pixels, one above the other: an upper half block in
 * the colour of the one on the colour of the other. Without, it is a character as bright as both.
 */
final class HalfBlocks {
  private static final String UPPER = "\u2580";
  private static final String RESET = "\u001b[0m";
  /** From dark to bright. */
  private static final String SHADES = " .:-=+*#%@";
  private static final int NONE = -1;

  private HalfBlocks() {}

  /**
   * The lines of a picture, none longer than {@code columns} characters.
   *
   * @param columns 1 or more; a picture that is not so wide is not stretched
   * @param colours whether the terminal has 24-bit colours
   */
  static List<String> lines(Picture picture, int columns, boolean colours) {
    int width = Math.min(picture.width(), columns);
    int height = (int) Math.max(1, Math.round((double) picture.height() * width / picture.width()));
    Picture scaled = picture.scaled(width, height);
    List<String> lines = new ArrayList<>();
    for (int y = 0; y < height; y += 2) {
      lines.add(colours ? coloured(scaled, y) : plain(scaled, y));
    }
    return lines;
  }

  private static String coloured(Picture picture, int y) {
    StringBuilder line = new StringBuilder();
    boolean last = y + 1 == picture.height();
    int foreground = NONE;
    int background = NONE;
    for (int x = 0; x < picture.width(); x++) {
      int upper = picture.rgb(x, y);
      if (upper != foreground) {
        colour(line, 38, upper);
        foreground = upper;
      }
      int lower = last ? NONE : picture.rgb(x, y + 1);
      if (lower != background) {
        colour(line, 48, lower);
        background = lower;
      }
      line.append(UPPER);
    }
    return line.append(RESET).toString();
  }

  /** Select Graphic Rendition with a direct colour. */
  private static void colour(StringBuilder line, int which, int rgb) {
    line.append("\u001b[").append(which).append(";2;").append(rgb >> 16 & 255).append(';')
        .append(rgb >> 8 & 255).append(';').append(rgb & 255).append('m');
  }

  private static String plain(Picture picture, int y) {
    StringBuilder line = new StringBuilder();
    for (int x = 0; x < picture.width(); x++) {
      int upper = brightness(picture.rgb(x, y));
      int lower = y + 1 < picture.height() ? brightness(picture.rgb(x, y + 1)) : upper;
      line.append(SHADES.charAt((upper + lower) / 2 * (SHADES.length() - 1) / 255));
    }
    return line.toString().stripTrailing();
  }

  /** Of 0 to 255, as ITU-R BT.601 weighs the colours. */
  private static int brightness(int rgb) {
    return ((rgb >> 16 & 255) * 299 + (rgb >> 8 & 255) * 587 + (rgb & 255) * 114) / 1000;
  }
}
