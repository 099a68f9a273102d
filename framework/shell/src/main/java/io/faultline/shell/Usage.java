// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of a command: {@code [PID] LENGTH PROTECTION [FLAGS] [at ADDRESS]}. Words in
 * capitals are kinds of values, others are written as they stand, {@code a|b} is a choice, brackets
 * hold what may be left out, dots follow what may be repeated.
 *
 * @param text as written
 * @param slots in their order
 */
public record Usage(String text, List<Slot> slots) {
  private static final Pattern GROUP = Pattern.compile("\\[([^\\]]+)\\](\\.\\.\\.)?|(\\S+)");

  /**
   * The place of one value.
   *
   * @param value a kind in capitals, or the choices
   * @param optional may be left out
   * @param repeats may come several times
   * @param keyword the word that announces it, or null when its position does
   */
  public record Slot(
      String value, boolean optional, boolean repeats, @Nullable String keyword) {
    /** Whether it stands for a kind of values, and not for words as written. */
    public boolean kind() {
      return Character.isUpperCase(value.charAt(0));
    }
  }

  /** Reads the notation above. */
  static Usage parse(String text) {
    List<Slot> slots = new ArrayList<>();
    Matcher group = GROUP.matcher(text);
    while (group.find()) {
      boolean optional = group.group(1) != null;
      String inner = optional ? group.group(1) : group.group(3);
      boolean repeats = inner.endsWith("...") || group.group(2) != null;
      String plain = inner.replace("...", "");
      int blank = plain.indexOf(' ');
      slots.add(
          blank < 0
              ? new Slot(plain, optional, repeats, null)
              : new Slot(plain.substring(blank + 1), optional, repeats, plain.substring(0, blank)));
    }
    return new Usage(text, List.copyOf(slots));
  }

  /**
   * Whether the process stands in front of values that must be given. Then its number is left out
   * where a process is in use; elsewhere a number is taken for a process.
   */
  public boolean processLeads() {
    return !slots.isEmpty()
        && slots.getFirst().value().equals("PID")
        && slots.stream().anyMatch(slot -> !slot.optional());
  }
}
