// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.mm.Mman;
import java.util.ArrayList;
import java.util.List;

/**
 * A mask of nodes as a recording has it: {@code NULL}, {@code [0x1]} with its words, or the address of
 * one whose contents are not recorded.
 *
 * @param address 0 for none, or where the contents are known
 * @param known the words, empty where they are not known
 */
public record NodeMask(long address, List<Long> known) {
  /** No mask. */
  public static final NodeMask NONE = new NodeMask(0, List.of());

  /** Copies the words. */
  public NodeMask {
    known = List.copyOf(known);
  }

  /** A mask of one word. */
  public static NodeMask of(long word) {
    return new NodeMask(0, List.of(word));
  }

  /** Whether the program gave none. */
  public boolean isNone() {
    return address == 0 && known.isEmpty();
  }

  /**
   * The words. Of a mask that is not known: no node for MPOL_DEFAULT and MPOL_LOCAL, which take none,
   * and else node 0, the only one that there is.
   *
   * @param modeAndFlags the policy that the mask is for
   */
  public long[] words(int modeAndFlags) {
    if (!known.isEmpty()) {
      return known.stream().mapToLong(Long::longValue).toArray();
    }
    int mode = modeAndFlags & 0xff;
    return new long[] {mode == Mman.MPOL_DEFAULT || mode == Mman.MPOL_LOCAL ? 0 : 1};
  }

  /** As recordings write it. */
  @Override
  public String toString() {
    if (isNone()) {
      return "NULL";
    }
    if (known.isEmpty()) {
      return "0x" + Long.toHexString(address);
    }
    return known.stream().map(word -> "0x" + Long.toHexString(word)).toList().toString();
  }

  static NodeMask read(LineScanner line) throws RecordingException {
    if (!line.skip("[")) {
      return new NodeMask(line.number("a mask of nodes"), List.of());
    }
    List<Long> words = new ArrayList<>();
    while (!line.skip("]")) {
      if (!words.isEmpty()) {
        line.comma();
      }
      words.add(line.number("a mask of nodes"));
    }
    // An empty list: strace prints no words of a mask of no bits.
    return words.isEmpty() ? of(0) : new NodeMask(0, words);
  }
}
