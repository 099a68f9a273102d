// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code cat /proc/vmstat}. */
@Component(service = Vmstat.class)
@GogoCommand(scope = Command.SCOPE, function = "vmstat")
public final class Vmstat extends ProcText {
  private final Proc proc;

  /** Injected. */
  @Activate
  public Vmstat(@Reference Proc proc) {
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print /proc/vmstat: pages by state, and what was counted since the start
      usage: vmstat
      example: vmstat
      example: vmstat | grep pgfault""")
  public @Nullable Object vmstat(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, proc::vmstat);
  }
}
