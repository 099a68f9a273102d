// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.ErrnoException;
import io.faultline.testkit.BootedKernel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The device's node as a file: {@code read(2)} and {@code write(2)}, a word at a time. */
final class DeviceFile {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final BootedKernel kernel;
  private final boolean canRead;
  private final Said said;

  /**
   * @param canRead whether the driver has {@code read}
   * @param said which pages the device has, as its test says
   */
  DeviceFile(BootedKernel kernel, boolean canRead, Said said) {
    this.kernel = kernel;
    this.canRead = canRead;
    this.said = said;
  }

  /**
   * Writes a word.
   *
   * @param within bytes from the page's start
   * @return whether all of it was taken
   */
  boolean write(Actor actor, int page, int within, long value) throws ErrnoException {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Long.BYTES]);
    bytes.set(LONG, 0, value);
    kernel.files().seek(actor.program.task(), actor.fd, Places.bytes(page) + within);
    return kernel.files().write(actor.program.task(), actor.fd, bytes) == Long.BYTES;
  }

  /** The first word of a page, nothing where there is none. */
  OptionalLong read(@Nullable Actor actor, int page) {
    if (actor == null || !canRead) {
      return OptionalLong.empty();
    }
    byte[] bytes = new byte[Long.BYTES];
    try {
      return read(actor, page, bytes) == Long.BYTES
          ? OptionalLong.of(MemorySegment.ofArray(bytes).get(LONG, 0))
          : OptionalLong.empty();
    } catch (ErrnoException refused) {
      return OptionalLong.empty();
    }
  }

  /** Whether the device has a page by its own account; null when nobody can say. */
  @Nullable Boolean has(@Nullable Actor actor, int page) {
    boolean asks = actor != null && canRead;
    Boolean has = said.hasPage(page, asks);
    if (has != null || actor == null || !asks) {
      return has;
    }
    try {
      return read(actor, page, new byte[1]) == 1;
    } catch (ErrnoException refused) {
      return null;
    }
  }

  private int read(Actor actor, int page, byte[] bytes) throws ErrnoException {
    kernel.files().seek(actor.program.task(), actor.fd, Places.bytes(page));
    return kernel.files().read(actor.program.task(), actor.fd, MemorySegment.ofArray(bytes));
  }
}
