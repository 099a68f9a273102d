// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A picture as a file, and as text. */
class PictureTest {
  private static Picture random(int width, int height) {
    return new Picture(
        width, height, new Random(width).ints((long) width * height, 0, 1 << 24).toArray());
  }

  @Test
  void aPngHasEveryPixel(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("p.png");
    Files.writeString(file, "what was there before");
    Picture picture = random(33, 17);

    assertThat(picture.write(file)).isEqualTo(Files.size(file));

    BufferedImage read = ImageIO.read(file.toFile());
    assertThat(read.getWidth()).isEqualTo(33);
    assertThat(read.getHeight()).isEqualTo(17);
    for (int y = 0; y < 17; y++) {
      for (int x = 0; x < 33; x++) {
        assertThat(read.getRGB(x, y) & 0xffffff).isEqualTo(picture.rgb(x, y));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 13})
  void halfBlocksShowEveryPixel(int height) {
    Picture picture = random(20, height);
    int[][] seen = Ansi.pixels(HalfBlocks.lines(picture, 80, true));
    assertThat(seen).hasDimensions((height + 1) / 2 * 2, 20);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < 20; x++) {
        assertThat(seen[y][x]).isEqualTo(picture.rgb(x, y));
      }
    }
    if (height % 2 != 0) {
      assertThat(seen[height]).containsOnly(Ansi.DEFAULT);
    }
  }

  @Test
  void aPictureThatIsTooWideIsMadeSmallerEachPixelTheMeanOfItsOwn() {
    Picture picture = new Picture(4, 2, new int[] {
      0x000000, 0x0000ff, 0x102030, 0x102030, //
      0x00ff00, 0xff0000, 0x102030, 0x102030});
    Picture half = picture.scaled(2, 1);
    assertThat(half.rgb(0, 0)).isEqualTo(0x3f3f3f);
    assertThat(half.rgb(1, 0)).isEqualTo(0x102030);
    assertThat(HalfBlocks.lines(random(320, 200), 80, true)).hasSize(25);
    assertThat(HalfBlocks.lines(random(320, 200), 80, false))
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80));
  }

  @Test
  void aColourIsSetOnlyWhereItChanges() {
    Picture black = new Picture(50, 2, new int[100]);
    String line = HalfBlocks.lines(black, 80, true).getFirst();
    assertThat(line).isEqualTo(
        "\u001b[38;2;0;0;0m\u001b[48;2;0;0;0m" + "\u2580".repeat(50) + "\u001b[0m");
  }

  @Test
  void withoutColoursACharacterIsAsBrightAsBothOfItsPixels() {
    Picture picture = new Picture(3, 2, new int[] {0, 0xffffff, 0xffffff, 0, 0xffffff, 0});
    assertThat(HalfBlocks.lines(picture, 80, false)).isEqualTo(List.of(" @="));
  }

  @Test
  void sixteenBitsAreRgb565() {
    Mode mode = new Mode(2, 1, 16);
    MemorySegment memory = MemorySegment.ofArray(new byte[] {0x1f, (byte) 0xf8, -1, -1});
    assertThat(mode.rgb(memory, 0, 0)).isEqualTo(0xff00ff);
    assertThat(mode.rgb(memory, 1, 0)).isEqualTo(0xffffff);
    assertThat(mode.pixel(0xff00ff)).isEqualTo(0xf81f);
    assertThat(mode.stride()).isEqualTo(4);
  }

  @Test
  void thirtyTwoBitsAreXrgb8888() {
    Mode mode = new Mode(1, 1, 32);
    MemorySegment memory = MemorySegment.ofArray(new byte[] {1, 2, 3, 4});
    assertThat(mode.rgb(memory, 0, 0)).isEqualTo(0x030201);
    assertThat(mode.toString()).isEqualTo("1x1-32");
  }
}
