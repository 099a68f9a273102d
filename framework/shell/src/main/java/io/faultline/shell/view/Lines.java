// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.List;

/** A text of the kernel's own: a list of its lines that prints exactly as it was. */
public final class Lines extends AbstractList<String> implements View {
  private final List<String> lines;

  private Lines(List<String> lines) {
    this.lines = lines;
  }

  /**
   * @param kernelText one character a byte, each line ended by a line break
   */
  public static Lines of(String kernelText) {
    // The console writes UTF-8; decoded here, a name comes out as the bytes that it is made of.
    byte[] bytes = kernelText.getBytes(StandardCharsets.ISO_8859_1);
    String decoded = new String(bytes, StandardCharsets.UTF_8);
    return new Lines(decoded.lines().toList());
  }

  @Override
  public String get(int index) {
    return lines.get(index);
  }

  @Override
  public int size() {
    return lines.size();
  }

  @Override
  public String text() {
    return String.join("\n", lines);
  }

  @Override
  public String toString() {
    return text();
  }

  @Override
  public String line() {
    return text();
  }
}
