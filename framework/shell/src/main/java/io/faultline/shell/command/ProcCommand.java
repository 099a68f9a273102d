// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.mm.ErrnoException;
import io.faultline.shell.Arguments;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Lines;
import io.faultline.shell.view.Text;
import io.faultline.shell.word.WordException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The files of {@code /proc}, by name. */
@Component(service = ProcCommand.class)
@GogoCommand(scope = Command.SCOPE, function = "proc")
public final class ProcCommand extends Command {
  private enum Action {
    LS,
    CAT,
    EXPORT
  }

  private final Tasks tasks;
  private final Proc proc;

  /** Injected. */
  @Activate
  public ProcCommand(@Reference Tasks tasks, @Reference Proc proc) {
    this.tasks = tasks;
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      list or print the files of /proc/PID, or write them all, with those of /proc, into a folder
      usage: proc ls|cat|export [PID] [NAME]
      NAME is a file for cat, a folder for export, relative to the current one; files are written
      whole or not at all. pagemap is as long as Linux's, 256 GiB, nearly all of it a hole.
      example: proc ls 1
      example: proc cat 1 smaps_rollup
      example: proc export 1 /tmp/proc""")
  public @Nullable Object proc(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Action action = arguments.next("ls|cat|export", ProcCommand::action);
          Task task = arguments.processOrCurrent(tasks);
          return switch (action) {
            case LS -> list(arguments, task);
            case CAT -> cat(arguments, task);
            case EXPORT -> export(session, arguments, task);
          };
        });
  }

  private static Action action(String word) throws WordException {
    return switch (word) {
      case "ls" -> Action.LS;
      case "cat" -> Action.CAT;
      case "export" -> Action.EXPORT;
      default -> throw new WordException("is none of ls, cat, export");
    };
  }

  private Object list(Arguments arguments, Task task) throws CommandException {
    arguments.end();
    return new Text(String.join("\n", proc.entries(task)));
  }

  private Object cat(Arguments arguments, Task task) throws CommandException, ErrnoException {
    String name = arguments.word("NAME");
    arguments.end();
    if (!proc.entries(task).contains(name)) {
      throw arguments.wrong("NAME", name, "is no file of /proc/PID (proc ls lists them)");
    }
    return Lines.of(new String(proc.read(task, name), StandardCharsets.ISO_8859_1));
  }

  private Object export(CommandSession session, Arguments arguments, Task task)
      throws CommandException, ErrnoException {
    String name = arguments.word("NAME");
    arguments.end();
    Path folder = session.currentDir().resolve(name);
    try {
      int files = new ProcExport(proc).write(task, folder);
      return new Text(files + " files written to " + folder);
    } catch (IOException e) {
      String why = e.getMessage();
      throw new CommandException(
          "proc: cannot write " + folder + ": " + e.getClass().getSimpleName()
              + (why == null ? "" : ": " + why) + "; no file was left half written");
    }
  }
}
