// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.device.OpenFile;
import io.faultline.kernel.Files;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.HexDump;
import io.faultline.shell.view.Text;
import io.faultline.shell.word.DataFormat;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code read(2)} and {@code lseek(2)}. */
@Component(service = Read.class)
@GogoCommand(scope = Command.SCOPE, function = "read")
public final class Read extends Command {
  private final Tasks tasks;
  private final Files files;

  /** Injected. */
  @Activate
  public Read(@Reference Tasks tasks, @Reference Files files) {
    this.tasks = tasks;
    this.files = files;
  }

  /** The command. */
  @Descriptor("""
      read from a file, at its position or at an OFFSET
      usage: read [PID] FD [LENGTH] [hex|text] [at OFFSET]
      Reads 64 bytes if no LENGTH is given, and shows them in hex.
      example: read 1 0
      example: read 1 0 16 text at 0""")
  public @Nullable Object read(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          int fd = arguments.descriptor();
          Transfer transfer = Transfer.read(arguments);
          arguments.end();
          if (transfer.offset() >= 0) {
            files.seek(task, fd, transfer.offset());
          }
          OpenFile file = task.file(fd);
          long position = file == null ? 0 : file.position();
          byte[] buffer = new byte[transfer.length()];
          int count = files.read(task, fd, MemorySegment.ofArray(buffer));
          byte[] bytes = Arrays.copyOf(buffer, count);
          if (count == 0) {
            return new Text("end of file");
          }
          return transfer.format() == DataFormat.TEXT
              ? new Text(Transfer.text(bytes))
              : new HexDump(position, bytes);
        });
  }
}
