// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import io.faultline.mm.Mman;
import java.util.List;

/**
 * A protection as people write it: {@code rw-} as in {@code /proc/PID/maps}, {@code rw}, {@code
 * none}, or by name, {@code read,write} or {@code PROT_READ,PROT_WRITE}.
 */
public final class ProtectionWord {
  private static final List<String> COMMON =
      List.of("r--", "rw-", "r-x", "rwx", "-w-", "--x", "none");

  /** What completion offers. */
  public static List<String> common() {
    return COMMON;
  }

  /** Whether the word could be a protection written in letters. */
  public static boolean looksLike(String word) {
    return !word.isEmpty() && word.chars().allMatch(c -> "rwx-".indexOf(c) >= 0);
  }

  /**
   * The {@code PROT_…} word.
   *
   * @throws WordException when it is none
   */
  public static int parse(String word) throws WordException {
    if (looksLike(word)) {
      return letters(word);
    }
    try {
      return MmanNames.PROT.union(word);
    } catch (WordException notNames) {
      throw new WordException("is not a protection: write rw-, r--, r-x, none or read,write");
    }
  }

  private static int letters(String word) throws WordException {
    int prot = 0;
    for (int i = 0; i < word.length(); i++) {
      int bit =
          switch (word.charAt(i)) {
            case 'r' -> Mman.PROT_READ;
            case 'w' -> Mman.PROT_WRITE;
            case 'x' -> Mman.PROT_EXEC;
            default -> 0;
          };
      if ((prot & bit) != 0) {
        throw new WordException("names '" + word.charAt(i) + "' twice");
      }
      prot |= bit;
    }
    return prot;
  }

  private ProtectionWord() {}
}
