// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.FaultDispatcher;
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

/** Lists processes. */
@Component(service = Ps.class)
@GogoCommand(scope = Command.SCOPE, function = "ps")
public final class Ps extends Command {
  private final Tasks tasks;
  private final VmaService vmas;
  private final FaultDispatcher faults;

  /** Injected. */
  @Activate
  public Ps(@Reference Tasks tasks, @Reference VmaService vmas, @Reference FaultDispatcher faults) {
    this.tasks = tasks;
    this.vmas = vmas;
    this.faults = faults;
  }

  /** The command. */
  @Descriptor("""
      list the running processes
      usage: ps
      example: ps""")
  public @Nullable Object ps(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          arguments.end();
          return ProcessRow.table(
              tasks.list().stream()
                  .map(task -> ProcessRow.of(task, vmas.list(task), faults.counts(task)))
                  .toList());
        });
  }
}
