// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code msync(2)}. */
@Component(service = Msync.class)
@GogoCommand(scope = Command.SCOPE, function = "msync")
public final class Msync extends RangeCommand {
  private final Tasks tasks;
  private final VmaService vmas;

  /** Injected. */
  @Activate
  public Msync(@Reference Tasks tasks, @Reference VmaService vmas) {
    this.tasks = tasks;
    this.vmas = vmas;
  }

  /** The command. */
  @Descriptor("""
      write what was stored through a shared mapping to its file, and wait for it
      usage: msync [PID] ADDRESS LENGTH
      START-END may stand for ADDRESS LENGTH. An error of a write-back is told once; the pages stay in
      memory and are tried again.
      example: msync 1 0x7ffff7e00000 2p""")
  public @Nullable Object msync(CommandSession session, String... words)
      throws CommandException {
    return onRange(
        session, words, tasks,
        (task, start, length) -> vmas.msync(task, start, length, Mman.MS_SYNC));
  }
}
