// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.CoreDumps;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Lines;
import io.faultline.shell.word.WordException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code /proc/PID/coredump_filter}. */
@Component(service = CoredumpFilter.class)
@GogoCommand(scope = Command.SCOPE, function = "coredump_filter")
public final class CoredumpFilter extends Command {
  private final Tasks tasks;
  private final CoreDumps cores;

  /** Injected. */
  @Activate
  public CoredumpFilter(@Reference Tasks tasks, @Reference CoreDumps cores) {
    this.tasks = tasks;
    this.cores = cores;
  }

  /** The command. */
  @Descriptor("""
      show or set which areas a core of a process has the contents of
      usage: coredump_filter [PID] [MASK]
      Bits: 0 anonymous private, 1 anonymous shared, 2 mapped private, 3 mapped shared,
      4 ELF headers, 5 huge private, 6 huge shared, 7 DAX private, 8 DAX shared. At first 0x33.
      example: coredump_filter 1
      example: coredump_filter 1 0x3f""")
  public @Nullable Object coredump_filter(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.processOrCurrent(tasks);
          if (arguments.hasNext()) {
            int mask = arguments.next("MASK", CoredumpFilter::mask);
            arguments.end();
            cores.setFilter(task, mask);
            return null;
          }
          return Lines.of("%08x\n".formatted(cores.filter(task)));
        });
  }

  /** As the kernel reads it: 0x for hexadecimal, 0 for octal. */
  private static int mask(String word) throws WordException {
    try {
      long mask = Long.decode(word);
      if (mask >= 0 && mask <= 0xffff_ffffL) {
        return (int) mask;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new WordException("is no mask: write a number such as 0x33");
  }
}
