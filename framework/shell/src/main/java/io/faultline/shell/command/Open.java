// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.device.AccessMode;
import io.faultline.device.OpenFile;
import io.faultline.kernel.Files;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.FileRow;
import io.faultline.shell.word.WordException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code open(2)} of a device or a file. */
@Component(service = Open.class)
@GogoCommand(scope = Command.SCOPE, function = "open")
public final class Open extends Command {
  private final Tasks tasks;
  private final Files files;

  /** Injected. */
  @Activate
  public Open(@Reference Tasks tasks, @Reference Files files) {
    this.tasks = tasks;
    this.files = files;
  }

  /** The command. */
  @Descriptor("""
      open a device, or a file below a mounted file system; read and write if no MODE is given
      usage: open [PID] DEVICE [r|w|rw]
      example: open 1 /dev/scullp0
      example: open 1 /host/data/file
      example: open 1 /dev/zero r""")
  public @Nullable Object open(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          String path = arguments.next("DEVICE", Open::path);
          AccessMode mode =
              arguments.hasNext() ? arguments.next("MODE", Open::mode) : AccessMode.READ_WRITE;
          arguments.end();
          int fd = files.open(task, path, mode);
          OpenFile file = task.file(fd);
          return file == null ? null : FileRow.of(fd, file);
        });
  }

  private static String path(String word) throws WordException {
    if (!word.startsWith("/")) {
      throw new WordException(
          "is not a device: write /dev/NAME, devices lists them, or a file's whole path");
    }
    return word;
  }

  private static AccessMode mode(String word) throws WordException {
    return switch (word) {
      case "r" -> AccessMode.READ_ONLY;
      case "w" -> AccessMode.WRITE_ONLY;
      case "rw" -> AccessMode.READ_WRITE;
      default -> throw new WordException("is not a mode: write r, w or rw");
    };
  }
}
