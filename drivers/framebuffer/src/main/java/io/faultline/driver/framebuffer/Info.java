// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

/**
 * What {@code fb info} prints. The names are those of the files below {@code /sys/class/graphics/fb0}: there is
 * no ioctl here that a program could ask, and no sysfs.
 */
final class Info {
  private Info() {}

  static String of(Framebuffer device) {
    Mode mode = device.mode();
    VideoMemory memory = device.memory();
    DeferredIo deferred = device.deferred();
    DeferredIo.Counters counters = deferred.counters();
    String refusal = device.refusal();
    return """
        device          %s
        name            Faultline FB
        mode            U:%dx%dp-0
        virtual_size    %d,%d
        bits_per_pixel  %d (%s)
        stride          %d
        smem_len        %d: %d pages, frames %d to %d; the picture is the first %d bytes
        open files      %d
        deferred io     delay %d ms; dirty now %d; first stores %d; flushes %d, pages sent %d"""
        .formatted(
            device.path(), mode.width(), mode.height(), mode.width(), mode.height(),
            mode.bitsPerPixel(),
            mode.bitsPerPixel() == 32 ? "XRGB8888, little-endian" : "RGB565, little-endian",
            mode.stride(), memory.size(), memory.pages(), memory.page(0).frameNumber(),
            memory.page(memory.pages() - 1).frameNumber(), mode.bytes(), device.openFiles(),
            deferred.delayMillis(), deferred.pending().length, counters.written(),
            counters.flushes(), counters.sent())
        + (refusal == null ? "" : "\nnot configured  " + refusal);
  }
}
