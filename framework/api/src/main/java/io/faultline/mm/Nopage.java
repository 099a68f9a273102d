// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a driver answers when a page is not in memory (LDD3 p. 422): a page with its fault type, or
 * {@link #SIGBUS}, or {@link #OOM}.
 *
 * <p>Immutable. Drivers that fault often keep the answer beside the page and return it again; there
 * is nothing in it that belongs to one fault. The driver takes a reference on the page each time it
 * answers with it: {@code page.get(); return answer;}.
 */
public final class Nopage {
  /** The driver has no page there: the access gets SIGBUS ({@code NOPAGE_SIGBUS}). */
  public static final Nopage SIGBUS = new Nopage(null, FaultType.MINOR, "SIGBUS");

  /** There is no memory for the page ({@code NOPAGE_OOM}). */
  public static final Nopage OOM = new Nopage(null, FaultType.MINOR, "OOM");

  private final @Nullable Page page;
  private final FaultType type;
  private final String name;

  private Nopage(@Nullable Page page, FaultType type, String name) {
    this.page = page;
    this.type = type;
    this.name = name;
  }

  /** A page that was at hand. */
  public static Nopage minor(Page page) {
    return new Nopage(Objects.requireNonNull(page, "page"), FaultType.MINOR, "page");
  }

  /** A page that had to be brought from secondary storage. */
  public static Nopage major(Page page) {
    return new Nopage(Objects.requireNonNull(page, "page"), FaultType.MAJOR, "page");
  }

  /** The page, or null for {@link #SIGBUS} and {@link #OOM}. */
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
    return p == null ? name : type + " page, frame " + p.frameNumber();
  }
}
