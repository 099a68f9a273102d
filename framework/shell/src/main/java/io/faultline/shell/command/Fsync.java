// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Files;
import io.faultline.kernel.Task;
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

/** {@code fsync(2)}. */
@Component(service = Fsync.class)
@GogoCommand(scope = Command.SCOPE, function = "fsync")
public final class Fsync extends Command {
  private final Tasks tasks;
  private final Files files;

  /** Injected. */
  @Activate
  public Fsync(@Reference Tasks tasks, @Reference Files files) {
    this.tasks = tasks;
    this.files = files;
  }

  /** The command. */
  @Descriptor("""
      write the dirty pages of an open file to where it is stored, and wait for it
      usage: fsync [PID] FD
      example: fsync 1 1""")
  public @Nullable Object fsync(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          int fd = arguments.descriptor();
          arguments.end();
          files.fsync(task, fd);
          return null;
        });
  }
}
