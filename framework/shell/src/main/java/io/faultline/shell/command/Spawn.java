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

/** Starts a process. */
@Component(service = Spawn.class)
@GogoCommand(scope = Command.SCOPE, function = "spawn")
public final class Spawn extends Command {
  private final Tasks tasks;
  private final VmaService vmas;
  private final FaultDispatcher faults;

  /** Injected. */
  @Activate
  public Spawn(@Reference Tasks tasks, @Reference VmaService vmas,
      @Reference FaultDispatcher faults) {
    this.tasks = tasks;
    this.vmas = vmas;
    this.faults = faults;
  }

  /** The command. */
  @Descriptor("""
      start a process that looks like a small dynamically linked program
      usage: spawn [NAME]
      Without a NAME it is called demo.
      example: spawn cat""")
  public @Nullable Object spawn(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          String name = arguments.hasNext() ? arguments.word("NAME") : "demo";
          arguments.end();
          Task task = tasks.spawn(name);
          return ProcessRow.of(task, vmas.list(task), faults.counts(task));
        });
  }
}
