// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Files;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Text;
import java.lang.foreign.MemorySegment;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code write(2)} and {@code lseek(2)}. */
@Component(service = Write.class)
@GogoCommand(scope = Command.SCOPE, function = "write")
public final class Write extends Command {
  private final Tasks tasks;
  private final Files files;

  /** Injected. */
  @Activate
  public Write(@Reference Tasks tasks, @Reference Files files) {
    this.tasks = tasks;
    this.files = files;
  }

  /** The command. */
  @Descriptor("""
      write text or bytes to a file, at its position or at an OFFSET
      usage: write [PID] FD [at OFFSET] [hex|text] DATA...
      Text knows the escapes \\n \\t \\r \\0 \\\\ \\xHH; put it in quotes to keep them from the shell.
      example: write 1 0 hello
      example: write 1 0 at 4096 "hello\\n"
      example: write 1 0 hex de ad be ef""")
  public @Nullable Object write(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          int fd = arguments.descriptor();
          long offset = arguments.take("at") ? arguments.size("OFFSET") : -1;
          byte[] bytes = Transfer.data(arguments);
          if (offset >= 0) {
            files.seek(task, fd, offset);
          }
          int count = files.write(task, fd, MemorySegment.ofArray(bytes));
          return new Text(
              count == bytes.length
                  ? "wrote " + count + " bytes"
                  : "wrote " + count + " of " + bytes.length + " bytes");
        });
  }
}
