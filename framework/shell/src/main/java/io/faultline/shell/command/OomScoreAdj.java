// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Lines;
import io.faultline.shell.word.WordException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code /proc/PID/oom_score_adj}. */
@Component(service = OomScoreAdj.class)
@GogoCommand(scope = Command.SCOPE, function = "oom_score_adj")
public final class OomScoreAdj extends Command {
  private static final int MOST = 1000;

  private final Tasks tasks;

  /** Injected. */
  @Activate
  public OomScoreAdj(@Reference Tasks tasks) {
    this.tasks = tasks;
  }

  /** The command. */
  @Descriptor("""
      show or set how likely a process is killed when memory runs out
      usage: oom_score_adj [PID] [ADJUSTMENT]
      In thousandths of all memory and swap, added to what the process has itself: 1000 makes it the
      first to go, -1000 spares it always. At first 0; a child has its parent's.
      example: oom_score_adj 1
      example: oom_score_adj 1 -1000""")
  public @Nullable Object oom_score_adj(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.processOrCurrent(tasks);
          if (arguments.hasNext()) {
            int adjustment = arguments.next("ADJUSTMENT", OomScoreAdj::adjustment);
            arguments.end();
            task.setOomScoreAdj(adjustment);
            return null;
          }
          return Lines.of(task.oomScoreAdj() + "\n");
        });
  }

  private static int adjustment(String word) throws WordException {
    try {
      int value = Integer.parseInt(word);
      if (Math.abs(value) <= MOST) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new WordException("is no number in -1000..1000");
  }
}
