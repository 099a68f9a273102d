// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The display, its memory, and how soon it hears of what was drawn. */
@ObjectClassDefinition(
    name = "framebuffer",
    description = "A frame buffer. A change of the mode takes effect at once, and areas stay mapped; the"
        + " memory keeps its size as long as the kernel runs.")
public @interface FramebufferConfig {
  /** The device's name below {@code /dev}. */
  @AttributeDefinition(
      description = "the device's name below /dev, another one for each configuration; and that of its"
          + " memory when it starts")
  String device_name() default "fb0";

  /** Pixels in a line. */
  @AttributeDefinition(description = "pixels in a line", min = "1", max = "16384")
  int width() default 320;

  /** Lines. */
  @AttributeDefinition(description = "lines", min = "1", max = "16384")
  int height() default 200;

  /** Bits in a pixel. */
  @AttributeDefinition(description = "bits in a pixel: 32 (XRGB8888) or 16 (RGB565)")
  int bits_per_pixel() default 32;

  /** log2 of the number of pages of video memory. */
  @AttributeDefinition(
      description = "log2 of the number of pages of video memory: 8 is 1 MiB, up to 640 x 400 x 32",
      min = "0", max = "10")
  int memory_order() default 8;

  /** How long the driver gathers dirty pages. */
  @AttributeDefinition(
      description = "how long dirty pages are gathered before they are sent to the display, in"
          + " milliseconds",
      min = "1", max = "60000")
  int delay_millis() default 50;
}
