// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.CoreDumps;
import io.faultline.kernel.CoreProgress;
import io.faultline.kernel.CoreReport;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Text;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Writes a core. */
@Component(service = Core.class)
@GogoCommand(scope = Command.SCOPE, function = "core")
public final class Core extends Command {
  private final Tasks tasks;
  private final CoreDumps cores;

  /** Injected. */
  @Activate
  public Core(@Reference Tasks tasks, @Reference CoreDumps cores) {
    this.tasks = tasks;
    this.cores = cores;
  }

  /** The command. */
  @Descriptor("""
      write a process's memory as an ELF core that gdb and readelf open; the process lives on
      usage: core [PID] FILE
      FILE is relative to the current folder. What is in it, coredump_filter says.
      example: core 1 core.demo""")
  public @Nullable Object core(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          String name = arguments.word("FILE");
          arguments.end();
          Path file = session.currentDir().resolve(name);
          try {
            CoreReport report = cores.dump(task, file, new Percentages(System.err));
            return new Text(
                "%s: %d segments, %d bytes (%d written, the rest holes)"
                    .formatted(file, report.segments(), report.bytes(), report.written()));
          } catch (IOException e) {
            throw new CommandException("core: " + file + ": " + reason(e));
          }
        });
  }

  private static String reason(IOException failure) {
    String message = failure.getMessage();
    return message == null || message.isEmpty() ? failure.getClass().getSimpleName() : message;
  }

  /** A line each second for a dump that takes long. */
  private static final class Percentages implements CoreProgress {
    private static final long SECOND = 1_000_000_000L;

    private final PrintStream out;
    private long next = System.nanoTime() + SECOND;

    Percentages(PrintStream out) {
      this.out = out;
    }

    @Override
    public void dumped(long done, long total) {
      if (System.nanoTime() - next >= 0) {
        next += SECOND;
        out.printf("core: %d %% of %d MiB%n", done * 100 / total, total >> 20);
      }
    }
  }
}
