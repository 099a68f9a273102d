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

/** {@code close(2)}. */
@Component(service = Close.class)
@GogoCommand(scope = Command.SCOPE, function = "close")
public final class Close extends Command {
  private final Tasks tasks;
  private final Files files;

  /** Injected. */
  @Activate
  public Close(@Reference Tasks tasks, @Reference Files files) {
    this.tasks = tasks;
    this.files = files;
  }

  /** The command. */
  @Descriptor("""
      close a file descriptor
      usage: close [PID] FD
      example: close 1 0""")
  public @Nullable Object close(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          int fd = arguments.descriptor();
          arguments.end();
          files.close(task, fd);
          return null;
        });
  }
}
