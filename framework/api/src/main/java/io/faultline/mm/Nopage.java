// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a driver answers when a page is not in memory (LDD3 p. 422, p. 428): a page with its fault type, or a
 * bare frame number, or {@link #SIGBUS}, or {@link #OOM}.
 *
 * <p>Immutable. Drivers that fault often keep the answer beside the page and return it again; there
 * is nothing in it that belongs to one fault. The driver takes a reference on the page each time it
 * answers with it: {@code page.get(); return answer;}.
 */
public final class Nopage {
  private static final long NO_FRAME = -1;

  /** The driver has no page there: the access gets SIGBUS ({@code NOPAGE_SIGBUS}). */
  public static final Nopage SIGBUS = new Nopage(null, NO_FRAME, FaultType.MINOR, "SIGBUS");

  /** There is no memory for the page ({@code NOPAGE_OOM}). */
  public static final Nopage OOM = new Nopage(null, NO_FRAME, FaultType.MINOR, "OOM");

  private final @Nullable Page page;
  private final long frame;
  private final FaultType type;
  private final String name;

  private Nopage(@Nullable Page page, long frame, FaultType type, String name) {
    this.page = page;
    this.frame = frame;
    this.type = type;
    this.name = name;
  }

  /** A page that was at hand. */
  public static Nopage minor(Page page) {
    return new Nopage(Objects.requireNonNull(page, "page"), NO_FRAME, FaultType.MINOR, "page");
  }

  /** A page that had to be brought from secondary storage. */
  public static Nopage major(Page page) {
    return new Nopage(Objects.requireNonNull(page, "page"), NO_FRAME, FaultType.MAJOR, "page");
  }

  /**
   * A frame of the driver's by its number, registers of a device say: {@code vmf_insert_pfn}, and then
   * {@code VM_FAULT_NOPAGE}. As with {@code remapPfnRange} no reference is counted. Only in an area that
   * has {@link VmFlag#PFNMAP}, and is shared or can never be written.
   *
   * @param frame 1 or more
   * @throws IllegalArgumentException for what is no frame's number
   */
  public static Nopage frame(long frame) {
    if (frame < 1) {
      throw new IllegalArgumentException("frame = " + frame + ": give 1 or more");
    }
    return new Nopage(null, frame, FaultType.MINOR, "frame");
  }

  /** The bare frame number, or -1 where it is none. */
  public long frame() {
    return frame;
  }

  /** The page, or null for a bare frame number, {@link #SIGBUS} and {@link #OOM}. */
  public @Nullable Page page() {
    return page;
  }

  /** Minor or major; minor for {@link #SIGBUS} and {@link #OOM}. */
  public FaultType type() {
    return type;
  }

  @Override
  public String toString() {
    Page p = page;
    if (frame != NO_FRAME) {
      return "frame " + frame;
    }
    return p == null ? name : type + " page, frame " + p.frameNumber();
  }
}
