// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.felix.service.command.Descriptor;

/**
 * A command's manual page, read from the {@link Descriptor} of its method, so that {@code help},
 * error messages and completion say the same. The descriptor's first line is the summary; then come
 * lines that begin with {@code usage:}, lines that begin with {@code example:}, and free text.
 *
 * @param name the command
 * @param summary one line, in lower case
 * @param usage the arguments, without the command
 * @param notes free text
 * @param examples lines that work when typed
 */
public record Manual(
    String name, String summary, Usage usage, List<String> notes, List<String> examples) {
  private static final String USAGE = "usage:";
  private static final String EXAMPLE = "example:";

  /**
   * The manual of a class that is one command.
   *
   * @throws IllegalArgumentException when the class does not have exactly one described method, or
   *     the description has no usage or no example
   */
  public static Manual of(Class<?> command) {
    List<Method> described =
        Stream.of(command.getDeclaredMethods())
            .filter(method -> method.isAnnotationPresent(Descriptor.class))
            .toList();
    if (described.size() != 1) {
      throw new IllegalArgumentException(
          "command: " + command + " has " + described.size() + " described methods, not one");
    }
    return of(command, described.getFirst().getName());
  }

  /**
   * The manual of one command of a class that may be several.
   *
   * @throws IllegalArgumentException when there is no described method of that name, or the
   *     description has no usage or no example
   */
  public static Manual of(Class<?> commands, String name) {
    for (Method method : commands.getDeclaredMethods()) {
      Descriptor descriptor = method.getAnnotation(Descriptor.class);
      if (descriptor != null && method.getName().equals(name)) {
        return parse(name, descriptor.value());
      }
    }
    throw new IllegalArgumentException("name: " + commands + " has no described method " + name);
  }

  private static Manual parse(String name, String text) {
    List<String> lines = text.lines().toList();
    String usage = null;
    List<String> notes = new ArrayList<>();
    List<String> examples = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      if (line.startsWith(USAGE)) {
        usage = line.substring(USAGE.length()).strip();
      } else if (line.startsWith(EXAMPLE)) {
        examples.add(line.substring(EXAMPLE.length()).strip());
      } else {
        notes.add(line);
      }
    }
    if (usage == null || examples.isEmpty()) {
      throw new IllegalArgumentException("command: " + name + " lacks a usage or an example");
    }
    String arguments = usage.substring(name.length()).strip();
    return new Manual(
        name, lines.getFirst(), Usage.parse(arguments), List.copyOf(notes), List.copyOf(examples));
  }

  /** The page, as {@code help NAME} prints it. */
  public String page() {
    StringBuilder page = new StringBuilder();
    page.append(name).append(" - ").append(summary).append('\n');
    page.append("  ").append(name);
    if (!usage.text().isEmpty()) {
      page.append(' ').append(usage.text());
    }
    page.append('\n');
    for (String note : notes) {
      page.append("  ").append(note).append('\n');
    }
    for (String example : examples) {
      page.append("  example: ").append(example).append('\n');
    }
    return page.toString().stripTrailing();
  }

  /** The error for a word that cannot be read; the argument's name may be empty. */
  CommandException wrong(String argument, String word, String reason, String hint) {
    String subject = argument.isEmpty() ? "" : argument + " ";
    return error(subject + "'" + word + "' " + reason, hint);
  }

  /** The error for an argument that is not there. */
  CommandException missing(String argument, String hint) {
    return error(argument + " is missing", hint);
  }

  /** The error for words behind the last argument. */
  CommandException leftOver(List<String> words, String hint) {
    String what = String.join(" ", words);
    return error("'" + what + "' is too much", hint);
  }

  /** The error for a variable that has no value. */
  CommandException nullWord() {
    return error("a word has no value: is the variable in it set?", "");
  }

  private CommandException error(String what, String hint) {
    String line = name + ": " + what + (hint.isEmpty() ? "" : " " + hint);
    String joint = line.endsWith("?") ? " example: " : "; example: ";
    return new CommandException(line + joint + examples.getFirst());
  }
}
