// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.mm.ErrnoException;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.word.Range;
import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;

/** A command that is one system call on a range of a process, and prints nothing. */
abstract class RangeCommand extends Command {
  /** The system call. */
  @FunctionalInterface
  interface OnRange {
    /**
     * @param start in bytes
     * @param length in bytes
     */
    void call(Task task, long start, long length) throws ErrnoException;
  }

  /** Takes {@code [PID] ADDRESS LENGTH} from the words. */
  final @Nullable Object onRange(
      CommandSession session, String[] words, Tasks tasks, OnRange systemCall)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          Range range = arguments.range();
          arguments.end();
          systemCall.call(task, range.start(), range.length());
          return null;
        });
  }
}
