// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code cat /proc/PID/smaps}. */
@Component(service = Smaps.class)
@GogoCommand(scope = Command.SCOPE, function = "smaps")
public final class Smaps extends ProcText {
  private final Tasks tasks;
  private final Proc proc;

  /** Injected. */
  @Activate
  public Smaps(@Reference Tasks tasks, @Reference Proc proc) {
    this.tasks = tasks;
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print /proc/PID/smaps: what the pages of each area come to, as the kernel writes it
      usage: smaps [PID]
      Pss is the process's share: a page that three map counts a third. proc cat PID smaps_rollup
      has the sums.
      example: smaps 1
      example: smaps 1 | grep Pss""")
  public @Nullable Object smaps(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, tasks, proc::smaps);
  }
}
