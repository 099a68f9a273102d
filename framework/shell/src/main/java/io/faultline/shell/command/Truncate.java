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

/** {@code ftruncate(2)}. */
@Component(service = Truncate.class)
@GogoCommand(scope = Command.SCOPE, function = "truncate")
public final class Truncate extends Command {
  private final Tasks tasks;
  private final Files files;

  /** Injected. */
  @Activate
  public Truncate(@Reference Tasks tasks, @Reference Files files) {
    this.tasks = tasks;
    this.files = files;
  }

  /** The command. */
  @Descriptor("""
      change the size of an open file; mappings of what is behind it get SIGBUS from then on
      usage: truncate [PID] FD SIZE
      example: truncate 1 1 4096
      example: truncate 1 1 2p""")
  public @Nullable Object truncate(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          int fd = arguments.descriptor();
          long size = arguments.size("SIZE");
          arguments.end();
          files.ftruncate(task, fd, size);
          return null;
        });
  }
}
