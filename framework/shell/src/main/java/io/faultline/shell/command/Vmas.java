// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Devices;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import io.faultline.mm.Vma;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.AreaRow;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Shows the areas of a process. */
@Component(service = Vmas.class)
@GogoCommand(scope = Command.SCOPE, function = "vmas")
public final class Vmas extends Command {
  private final Tasks tasks;
  private final VmaService vmas;
  private final Proc proc;
  private final Devices devices;

  /** Injected. */
  @Activate
  public Vmas(@Reference Tasks tasks, @Reference VmaService vmas, @Reference Proc proc,
      @Reference Devices devices) {
    this.tasks = tasks;
    this.vmas = vmas;
    this.proc = proc;
    this.devices = devices;
  }

  /** The command. */
  @Descriptor("""
      show the areas of a process as a table, or all there is to know of one
      usage: vmas [PID] [ADDRESS]
      The FLAGS column leaves out what PROT says and the MAY… flags; vmas PID ADDRESS shows all.
      example: vmas 1
      example: vmas 1 0x7ffff7ff4000
      example: each (vmas 1) { echo $it ($it driver) }""")
  public @Nullable Object vmas(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.processOrCurrent(tasks);
          AreaRows rows = new AreaRows(proc.maps(task), devices.list());
          if (!arguments.hasNext()) {
            return AreaRow.table(vmas.list(task).stream().map(rows::of).toList());
          }
          long address = arguments.address("ADDRESS");
          arguments.end();
          Vma vma = vmas.find(task, address).orElse(null);
          if (vma == null) {
            throw new SignalException(
                new Siginfo(SignalCode.SEGV_MAPERR, address, "no area holds this address"));
          }
          return rows.of(vma);
        });
  }
}
