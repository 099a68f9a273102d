// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.word.Address;
import io.faultline.shell.word.Range;
import io.faultline.shell.word.Size;
import io.faultline.shell.word.WordException;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;

/**
 * Takes a command's words one after the other. Whatever is wrong becomes one line that names the
 * argument, says what is wrong with it and gives an example. For one thread.
 */
public final class Arguments {
  private static final Pattern PID = Pattern.compile("[0-9]{1,7}");

  private final Manual manual;
  private final CommandSession session;
  private final List<String> words;
  private int next;
  private String hint = "";
  private @Nullable Task task;

  Arguments(Manual manual, CommandSession session, List<String> words) {
    this.manual = manual;
    this.session = session;
    this.words = List.copyOf(words);
  }

  /** Reads one word. */
  @FunctionalInterface
  public interface Reader<T> {
    /**
     * @throws WordException when the word cannot be read
     */
    T read(String word) throws WordException;
  }

  /** The session in which the command was typed. */
  public CommandSession session() {
    return session;
  }

  /** Whether there are words left. */
  public boolean hasNext() {
    return next < words.size();
  }

  /** The next word, which stays; null at the end. */
  public @Nullable String peek() {
    return hasNext() ? words.get(next) : null;
  }

  /**
   * The process that a command works on and that must be named, unless {@code use} has chosen one:
   * then it is left out, and {@code @PID} names another.
   */
  public Task process(Tasks tasks) throws CommandException {
    String word = peek();
    Integer current = CurrentProcess.of(session);
    if (word != null && word.startsWith("@")) {
      next++;
      return find(tasks, word.substring(1));
    }
    if (current != null) {
      if (word != null && PID.matcher(word).matches() && isRunning(tasks, word)) {
        hint =
            "(process %d is in use: leave the PID out, or write @%s)".formatted(current, word);
      }
      return current(tasks, current);
    }
    if (word == null) {
      throw manual.missing("PID", "");
    }
    next++;
    return find(tasks, word);
  }

  /** The process of a command that may do without: the next word if it is a number, or the one in use. */
  public Task processOrCurrent(Tasks tasks) throws CommandException {
    Task named = processIfNamed(tasks);
    if (named != null) {
      return named;
    }
    Integer current = CurrentProcess.of(session);
    if (current == null) {
      String word = peek();
      throw word == null
          ? manual.missing("PID", "(or choose one: use PID)")
          : manual.wrong("PID", word, "is not a process number", "");
    }
    return current(tasks, current);
  }

  /** The process that the next word names, or null when it names none. */
  public @Nullable Task processIfNamed(Tasks tasks) throws CommandException {
    String word = peek();
    if (word == null || !(word.startsWith("@") || PID.matcher(word).matches())) {
      return null;
    }
    next++;
    return find(tasks, word.startsWith("@") ? word.substring(1) : word);
  }

  private Task current(Tasks tasks, int pid) throws CommandException {
    Task found = tasks.find(pid).orElse(null);
    if (found == null) {
      throw new CommandException(
          manual.name() + ": process " + pid
              + ", which was in use, is gone; choose another: use PID");
    }
    task = found;
    return found;
  }

  private Task find(Tasks tasks, String word) throws CommandException {
    if (!PID.matcher(word).matches()) {
      throw manual.wrong("PID", word, "is not a process number", "");
    }
    Task found = tasks.find(Integer.parseInt(word)).orElse(null);
    if (found == null) {
      throw manual.wrong("PID", word, "is not a running process (ps lists them)", "");
    }
    task = found;
    return found;
  }

  private static boolean isRunning(Tasks tasks, String word) {
    return tasks.find(Integer.parseInt(word)).isPresent();
  }

  /** The process that was taken, for error messages; null when none was. */
  @Nullable Task taken() {
    return task;
  }

  /**
   * The next word, read.
   *
   * @param name the argument, as the usage line names it
   */
  public <T> T next(String name, Reader<T> reader) throws CommandException {
    String word = peek();
    if (word == null) {
      throw manual.missing(name, hint);
    }
    try {
      T value = reader.read(word);
      next++;
      return value;
    } catch (WordException e) {
      throw manual.wrong(name, word, e.reason(), hint);
    }
  }

  /** The next word as it stands. */
  public String word(String name) throws CommandException {
    return next(name, word -> word);
  }

  /** An address. */
  public long address(String name) throws CommandException {
    return next(name, Address::parse).value();
  }

  /** A size in bytes. */
  public long size(String name) throws CommandException {
    return next(name, Size::parse);
  }

  /** A file descriptor. */
  public int descriptor() throws CommandException {
    return next(
        "FD",
        word -> {
          if (!PID.matcher(word).matches()) {
            throw new WordException("is not a file descriptor: write a number such as 3");
          }
          return Integer.parseInt(word);
        });
  }

  /** {@code ADDRESS LENGTH}, or both in one word as in {@code /proc/PID/maps}, {@code START-END}. */
  public Range range() throws CommandException {
    return range("LENGTH");
  }

  /** The same, where the length has another name. */
  public Range range(String length) throws CommandException {
    String word = peek();
    if (word != null && Range.looksLike(word)) {
      return next("START-END", Range::parse);
    }
    long start = address("ADDRESS");
    return new Range(start, size(length));
  }

  /** Takes the next word if it is this one. */
  public boolean take(String keyword) {
    if (keyword.equalsIgnoreCase(peek())) {
      next++;
      return true;
    }
    return false;
  }

  /** All the words that are left, with a blank between them. */
  public String rest(String name) throws CommandException {
    if (!hasNext()) {
      throw manual.missing(name, hint);
    }
    String rest = String.join(" ", words.subList(next, words.size()));
    next = words.size();
    return rest;
  }

  /** Says that there is no further argument. */
  public void end() throws CommandException {
    if (hasNext()) {
      throw manual.leftOver(words.subList(next, words.size()), hint);
    }
  }

  /** The error for a word that was taken already and turned out wrong. */
  public CommandException wrong(String name, String word, String reason) {
    return manual.wrong(name, word, reason, hint);
  }
}
