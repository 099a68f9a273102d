// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Something that was not as the kernel had it.
 *
 * @param line the event's line in {@code calls.strace}
 * @param event that line
 * @param kind what differs
 * @param expected the kernel's
 * @param got ours
 * @param maps both maps, where it is maps that differ
 * @param failure what the kernel here threw, if it did
 * @param reasons which rules decided ours
 */
public record Divergence(
    int line,
    String event,
    Kind kind,
    String expected,
    String got,
    @Nullable MapsDiff maps,
    @Nullable Throwable failure,
    Reasons reasons) {
  /** What differs. */
  public enum Kind {
    CALL,
    TOUCH,
    DIGEST,
    MAPS,
    FLAGS,
    /** The replay itself could not go on. */
    REPLAY
  }

  /** One line for a person. */
  @Override
  public String toString() {
    return "line %d: %s: %s: expected %s, got %s"
        .formatted(line, event, kind.name().toLowerCase(Locale.ROOT), expected, got);
  }
}
