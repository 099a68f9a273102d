// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.mm.ErrnoException;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Lines;
import java.util.function.Supplier;
import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;

/** A command that prints a file of {@code /proc}, byte for byte as the kernel writes it. */
abstract class ProcText extends Command {
  /** A file that every process has. */
  @FunctionalInterface
  interface OfProcess {
    String text(Task task) throws ErrnoException;
  }

  /** Prints a file of the whole machine's; takes no words. */
  final @Nullable Object print(CommandSession session, String[] words, Supplier<String> file)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          arguments.end();
          return Lines.of(file.get());
        });
  }

  /** Prints a process's file; the words name the process, or are none for the current one. */
  final @Nullable Object print(
      CommandSession session, String[] words, Tasks tasks, OfProcess file)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.processOrCurrent(tasks);
          arguments.end();
          return Lines.of(file.text(task));
        });
  }
}
