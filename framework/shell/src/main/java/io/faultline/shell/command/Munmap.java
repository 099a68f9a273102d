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

/** {@code munmap(2)}. */
@Component(service = Munmap.class)
@GogoCommand(scope = Command.SCOPE, function = "munmap")
public final class Munmap extends RangeCommand {
  private final Tasks tasks;
  private final VmaService vmas;

  /** Injected. */
  @Activate
  public Munmap(@Reference Tasks tasks, @Reference VmaService vmas) {
    this.tasks = tasks;
    this.vmas = vmas;
  }

  /** The command. */
  @Descriptor("""
      unmap a range
      usage: munmap [PID] ADDRESS LENGTH
      ADDRESS and LENGTH may be one word, START-END, as maps prints them.
      example: munmap 1 0x7ffff7ff4000 2p
      example: munmap 1 7ffff7ff4000-7ffff7ff6000""")
  public @Nullable Object munmap(CommandSession session, String... words)
      throws CommandException {
    return onRange(session, words, tasks, vmas::munmap);
  }
}
