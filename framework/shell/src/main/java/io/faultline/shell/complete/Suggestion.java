// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

/**
 * A word that completion offers.
 *
 * @param value what is put into the line
 * @param shown what is shown in the list
 * @param description what it means, or nothing
 * @param whole whether the word is whole, so that a blank may follow
 */
public record Suggestion(String value, String shown, String description, boolean whole) {
  static Suggestion of(String value, String description) {
    return new Suggestion(value, value, description, true);
  }
}
