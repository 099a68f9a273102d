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

/** {@code cat /proc/PID/maps}. */
@Component(service = Maps.class)
@GogoCommand(scope = Command.SCOPE, function = "maps")
public final class Maps extends ProcText {
  private final Tasks tasks;
  private final Proc proc;

  /** Injected. */
  @Activate
  public Maps(@Reference Tasks tasks, @Reference Proc proc) {
    this.tasks = tasks;
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print /proc/PID/maps, byte for byte as the kernel writes it
      usage: maps [PID]
      example: maps 1
      example: maps 1 | grep scullp""")
  public @Nullable Object maps(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, tasks, proc::maps);
  }
}
