// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.trace;

import org.apache.felix.service.command.CommandSession;
import org.jline.reader.LineReader;
import org.jline.terminal.Terminal;
import org.jspecify.annotations.Nullable;

/**
 * Lines above the prompt of a JLine reader. The only class here that needs JLine: it is loaded only
 * where the session has a reader.
 *
 * @param reader the reader
 */
record ReaderSink(LineReader reader) implements Sink {
  /** The sink of an interactive session, or null when this one has no reader. */
  static @Nullable Sink of(CommandSession session) {
    return session.get(".reader") instanceof LineReader reader ? new ReaderSink(reader) : null;
  }

  @Override
  public boolean colours() {
    String type = reader.getTerminal().getType();
    return !type.equals(Terminal.TYPE_DUMB) && !type.equals(Terminal.TYPE_DUMB_COLOR);
  }

  @Override
  public void line(String text) {
    reader.printAbove(text);
  }
}
