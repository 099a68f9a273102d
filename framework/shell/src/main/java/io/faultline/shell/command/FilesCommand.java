// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.FileRow;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists the descriptors of a process. */
@Component(service = FilesCommand.class)
@GogoCommand(scope = Command.SCOPE, function = "files")
public final class FilesCommand extends Command {
  private final Tasks tasks;

  /** Injected. */
  @Activate
  public FilesCommand(@Reference Tasks tasks) {
    this.tasks = tasks;
  }

  /** The command. */
  @Descriptor("""
      list the open files of a process
      usage: files [PID]
      example: files 1""")
  public @Nullable Object files(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.processOrCurrent(tasks);
          arguments.end();
          return FileRow.table(
              task.files().entrySet().stream()
                  .map(entry -> FileRow.of(entry.getKey(), entry.getValue()))
                  .toList());
        });
  }
}
