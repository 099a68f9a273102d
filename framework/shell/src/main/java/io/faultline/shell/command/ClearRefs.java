// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.word.WordException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code echo N > /proc/PID/clear_refs}. */
@Component(service = ClearRefs.class)
@GogoCommand(scope = Command.SCOPE, function = "clear_refs")
public final class ClearRefs extends Command {
  private final Tasks tasks;
  private final Proc proc;

  /** Injected. */
  @Activate
  public ClearRefs(@Reference Tasks tasks, @Reference Proc proc) {
    this.tasks = tasks;
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      forget what was used or written, as a write to /proc/PID/clear_refs does
      usage: clear_refs [PID] 1|2|3|4|5
      1: no page counts as used any more (Referenced); 2: of areas without a file; 3: of areas with one
      4: no page counts as written any more (bit 55 of pagemap); 5: VmHWM begins anew
      example: clear_refs 1 4""")
  public @Nullable Object clear_refs(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          int what = arguments.next("1|2|3|4|5", ClearRefs::number);
          arguments.end();
          proc.clearRefs(task, what);
          return null;
        });
  }

  private static int number(String word) throws WordException {
    if (!word.matches("[1-5]")) {
      throw new WordException("is none of 1 to 5");
    }
    return Integer.parseInt(word);
  }
}
