// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

/**
 * A result that is only to be read.
 *
 * @param text its lines
 */
public record Text(String text) implements View {
  @Override
  public String toString() {
    return text;
  }
}
