// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code munlock(2)}. */
@Component(service = Munlock.class)
@GogoCommand(scope = Command.SCOPE, function = "munlock")
public final class Munlock extends RangeCommand {
  private final Tasks tasks;
  private final VmaService vmas;

  /** Injected. */
  @Activate
  public Munlock(@Reference Tasks tasks, @Reference VmaService vmas) {
    this.tasks = tasks;
    this.vmas = vmas;
  }

  /** The command. */
  @Descriptor("""
      undo mlock
      usage: munlock [PID] ADDRESS LENGTH
      START-END may stand for ADDRESS LENGTH.
      example: munlock 1 0x7ffff7ff4000 2p""")
  public @Nullable Object munlock(CommandSession session, String... words)
      throws CommandException {
    return onRange(session, words, tasks, vmas::munlock);
  }
}
