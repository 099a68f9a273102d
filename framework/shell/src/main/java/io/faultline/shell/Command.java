// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;
import java.util.ArrayList;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;

/**
 * What all commands share. A command is a class with one public method that carries the command's
 * name, a {@link org.apache.felix.service.command.Descriptor} in the form of {@link Manual}, and the
 * parameters {@code (CommandSession, String...)}: words stay strings, since Gogo would make a
 * floating-point number of {@code 4f} and answers with reflection noise where a type does not fit.
 * The method hands its words to {@link #run}, which turns every error into one line.
 *
 * <p>No state but final fields; Gogo gets and ungets the service around each call.
 */
public abstract class Command {
  /** The scope of all of them. */
  public static final String SCOPE = "faultline";

  private final Manual manual;

  /** Reads the manual from the class. */
  protected Command() {
    manual = Manual.of(getClass());
  }

  /** What a command does with its words. */
  @FunctionalInterface
  protected interface Body {
    /**
     * @return what the shell prints or passes on; null for nothing
     */
    @Nullable Object run(Arguments arguments) throws CommandException, ErrnoException;
  }

  /** The manual page. */
  protected final Manual manual() {
    return manual;
  }

  /** Runs the body, with errors told in one line. */
  protected final @Nullable Object run(
      @Nullable CommandSession session, @Nullable String[] words, Body body)
      throws CommandException {
    List<String> given = new ArrayList<>();
    for (String word : words) {
      if (word != null) {
        given.add(word);
      }
    }
    // A variable without a value arrives as null; alone, Gogo even takes it for the session.
    if (session == null || given.size() < words.length) {
      throw manual.nullWord();
    }
    Arguments arguments = new Arguments(manual, session, given);
    try {
      return body.run(arguments);
    } catch (ErrnoException e) {
      throw error(e.toString(), Advice.on(e.errno(), arguments.taken()));
    } catch (SignalException e) {
      throw error(e.info().toString(), Advice.on(e.info(), arguments.taken()));
    } catch (UnsupportedOperationException e) {
      throw error("not built yet: " + e.getMessage(), "");
    }
  }

  private CommandException error(String what, String advice) {
    return new CommandException(
        manual.name() + ": " + what + (advice.isEmpty() ? "" : "; " + advice));
  }
}
