// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

/**
 * A word cannot be read. The message goes on where a caller has named the argument and quoted the
 * word: {@code is not a size: write 4096, 16k, 2M or 4p (pages)}.
 */
public final class WordException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param reason what the word is not, and what to write instead
   */
  public WordException(String reason) {
    super(reason, null, false, false);
  }

  /** The message, which is never null here. */
  public String reason() {
    return String.valueOf(getMessage());
  }
}
