// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.word.Range;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Prefaults pages. */
@Component(service = Populate.class)
@GogoCommand(scope = Command.SCOPE, function = "populate")
public final class Populate extends Command {
  private final Tasks tasks;
  private final FaultDispatcher faults;

  /** Injected. */
  @Activate
  public Populate(@Reference Tasks tasks, @Reference FaultDispatcher faults) {
    this.tasks = tasks;
    this.faults = faults;
  }

  /** The command. */
  @Descriptor("""
      bring the pages of a range in, for reading or for writing
      usage: populate [PID] ADDRESS LENGTH [read|write]
      START-END may stand for ADDRESS LENGTH.
      example: populate 1 0x7ffff7ff4000 2p
      example: populate 1 0x7ffff7ff4000 2p write""")
  public @Nullable Object populate(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          Range range = arguments.range();
          boolean write = arguments.take("write");
          if (!write) {
            arguments.take("read");
          }
          arguments.end();
          faults.populate(task, range.start(), range.length(), write);
          return null;
        });
  }
}
