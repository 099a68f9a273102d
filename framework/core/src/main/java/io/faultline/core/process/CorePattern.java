// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.proc.elf.DeathSignal;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;

/**
 * {@code core_pattern}: under which name a dying process dumps its core ({@code format_corename}).
 *
 * @param template the pattern; empty for no dumps
 */
record CorePattern(String template) {
  static final CorePattern NONE = new CorePattern("");

  /**
   * @throws IllegalArgumentException for a pipe or a socket
   */
  CorePattern {
    if (template.startsWith("|") || template.startsWith("@")) {
      throw new IllegalArgumentException(
          "pattern: '" + template + "': cores go to files alone, not to programs or sockets");
    }
  }

  boolean enabled() {
    return !template.isEmpty();
  }

  /** The file for one process. */
  Path file(TaskObject task, DeathSignal signal) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < template.length(); i++) {
      char c = template.charAt(i);
      if (c != '%') {
        name.append(c);
      } else if (++i < template.length()) {
        name.append(value(template.charAt(i), task, signal));
      }
    }
    return Path.of(name.toString());
  }

  private static String value(char specifier, TaskObject task, DeathSignal signal) {
    return switch (specifier) {
      case '%' -> "%";
      case 'p', 'P', 'i', 'I' -> Integer.toString(task.pid());
      case 'e' -> inName(task.name());
      case 's' -> Integer.toString(signal.signal().number());
      case 't' -> Long.toString(System.currentTimeMillis() / 1000);
      case 'u' -> Integer.toString(task.credentials().uid());
      case 'h' -> inName(host());
      default -> "";
    };
  }

  /** A command's name cannot lead to another folder ({@code cn_esc_printf}). */
  private static String inName(String text) {
    String safe = text.replace('/', '!').replace('\0', '!');
    return safe.equals(".") || safe.equals("..") ? "!" + safe.substring(1) : safe;
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }
}
