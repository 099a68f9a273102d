// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.ProcessRow;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code fork(2)}. */
@Component(service = Fork.class)
@GogoCommand(scope = Command.SCOPE, function = "fork")
public final class Fork extends Command {
  private final Tasks tasks;
  private final VmaService vmas;
  private final FaultDispatcher faults;

  /** Injected. */
  @Activate
  public Fork(@Reference Tasks tasks, @Reference VmaService vmas,
      @Reference FaultDispatcher faults) {
    this.tasks = tasks;
    this.vmas = vmas;
    this.faults = faults;
  }

  /** The command. */
  @Descriptor("""
      copy a process: same files and areas, pages copied when written
      usage: fork [PID]
      example: fork 1""")
  public @Nullable Object fork(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task parent = arguments.processOrCurrent(tasks);
          arguments.end();
          Task child = tasks.fork(parent);
          return ProcessRow.of(child, vmas.list(child), faults.counts(child));
        });
  }
}
