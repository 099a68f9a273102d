// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.DriverPages;
import io.faultline.mm.Page;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Pages on their way from one version of a driver to the next: both hold them until it is settled
 * whose they are. Confined to the thread that exchanges the drivers.
 */
final class PageMoves {
  /** A page under both names. */
  private static final class Move {
    final Page old;
    @Nullable Page next;
    boolean settled;

    Move(Page old) {
      this.old = old;
    }
  }

  private final DriverPages to;
  private final Map<Long, Move> moves = new HashMap<>();

  /**
   * @param to the new version's account
   */
  PageMoves(DriverPages to) {
    this.to = to;
  }

  void written(Page page) {
    moves.putIfAbsent(page.frameNumber(), new Move(page));
  }

  Page read(long frame) throws IOException {
    Move move = moves.get(frame);
    if (move == null) {
      throw new IOException("page: none was written here; read what was written, in its order");
    }
    Page next = move.next;
    if (next != null && next.referenceCount() == 0) {
      throw new IOException("page: the other device that it is shared with has freed it");
    }
    if (next == null) {
      try {
        next = to.share(move.old);
      } catch (IllegalStateException freed) {
        throw new IOException("page: it was freed after it was written", freed);
      }
      move.next = next;
    }
    return next;
  }

  /** What was written, under the old names. */
  List<Page> pages() {
    return moves.values().stream().map(move -> move.old).toList();
  }

  Set<Long> frames() {
    return Set.copyOf(moves.keySet());
  }

  /** Whether the new version has the frame, from the old one or of its own. */
  boolean covers(long frame) {
    Move move = moves.get(frame);
    return move != null && move.next != null || to.holdsFrame(frame);
  }

  /** The new version has what it read since it was last asked; returns how many pages. */
  int complete() {
    int count = 0;
    for (Move move : moves.values()) {
      Page next = move.next;
      if (next != null && !move.settled) {
        to.complete(move.old, next);
        move.settled = true;
        count++;
      }
    }
    return count;
  }

  /** The old version keeps all that is not settled. */
  void undo() {
    for (Move move : moves.values()) {
      Page next = move.next;
      if (next != null && !move.settled) {
        to.undo(move.old, next);
        move.next = null;
      }
    }
  }
}
