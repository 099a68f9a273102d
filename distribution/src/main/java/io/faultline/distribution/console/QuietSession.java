// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.io.InputStream;
import java.io.OutputStream;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.CommandSessionImpl;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;

/**
 * A session in which Ctrl-C ends a command quietly. Gogo interrupts the thread that waits for the
 * command, and its shell prints that InterruptedException whatever the command made of it.
 */
final class QuietSession extends CommandSessionImpl {
  private QuietSession(
      CommandProcessorImpl processor, InputStream in, OutputStream out, OutputStream err) {
    super(processor, in, out, err);
  }

  /** Gogo's own session where the processor is not Gogo's. */
  static CommandSession open(
      CommandProcessor processor, InputStream in, OutputStream out, OutputStream err) {
    return processor instanceof CommandProcessorImpl gogo
        ? new QuietSession(gogo, in, out, err)
        : processor.createSession(in, out, err);
  }

  @Override
  public @Nullable Object execute(CharSequence line) throws Exception {
    try {
      return super.execute(line);
    } catch (InterruptedException ctrlC) {
      return null;
    }
  }
}
