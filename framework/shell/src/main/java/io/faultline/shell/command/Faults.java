// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.FaultRecord;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.FaultReport;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Shows page faults. */
@Component(service = Faults.class)
@GogoCommand(scope = Command.SCOPE, function = "faults")
public final class Faults extends Command {
  private final Tasks tasks;
  private final FaultDispatcher faults;

  /** Injected. */
  @Activate
  public Faults(@Reference Tasks tasks, @Reference FaultDispatcher faults) {
    this.tasks = tasks;
    this.faults = faults;
  }

  /** The command. */
  @Descriptor("""
      show page faults: totals, by device, and the last ones
      usage: faults [PID] [last COUNT]
      With a PID the totals and the last faults are that process's. COUNT is 10 if not given.
      example: faults
      example: faults 1 last 5""")
  public @Nullable Object faults(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.processIfNamed(tasks);
          int count = arguments.take("last") ? Transfer.count(arguments) : 10;
          arguments.end();
          if (task == null) {
            return FaultReport.of(faults.counts(), faults.countsByDevice(), faults.recent(count));
          }
          List<FaultRecord> last =
              faults.recent(Integer.MAX_VALUE).stream()
                  .filter(fault -> fault.pid() == task.pid())
                  .limit(count)
                  .toList();
          return FaultReport.of(faults.counts(task), faults.countsByDevice(), last);
        });
  }
}
