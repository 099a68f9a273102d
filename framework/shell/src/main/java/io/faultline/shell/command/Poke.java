// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UserMemory;
import io.faultline.shell.Arguments;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.word.DataFormat;
import java.lang.foreign.MemorySegment;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Stores into the memory of a process. */
@Component(service = Poke.class)
@GogoCommand(scope = Command.SCOPE, function = "poke")
public final class Poke extends Command {
  private final Tasks tasks;

  /** Injected. */
  @Activate
  public Poke(@Reference Tasks tasks) {
    this.tasks = tasks;
  }

  /** The command. */
  @Descriptor("""
      store into the memory of a process, with page faults as on real hardware
      usage: poke [PID] ADDRESS [text|string|hex|byte|short|int|long] DATA...
      Without a format it is text, without a zero byte behind it (string puts one). Several integers follow
      one another. Text knows the escapes \\n \\t \\r \\0 \\\\ \\xHH; put it in quotes to keep them from the shell.
      example: poke 1 0x7ffff7ff4000 hello
      example: poke 1 0x7ffff7ff4000 int 42
      example: poke 1 0x7ffff7ff4000 hex de ad be ef""")
  public @Nullable Object poke(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          long address = arguments.address("ADDRESS");
          DataFormat format = DataFormat.find(String.valueOf(arguments.peek()));
          if (format != null && format.integer()) {
            arguments.word("FORMAT");
            integers(arguments, task.newCpu(), address, format);
            return null;
          }
          String first = String.valueOf(arguments.peek());
          if (format == null && first.matches("-?[0-9]+|0[xX][0-9a-fA-F]+")) {
            throw arguments.wrong(
                "DATA", first,
                "could be a number or text: write int " + first + " or text " + first);
          }
          byte[] bytes = Transfer.data(arguments);
          task.newCpu().write(address, MemorySegment.ofArray(bytes));
          return null;
        });
  }

  private static void integers(
      Arguments arguments, UserMemory memory, long address, DataFormat format)
      throws CommandException {
    long at = address;
    do {
      long value = arguments.next("DATA", format::parseInteger);
      switch (format.size()) {
        case 1 -> memory.putByte(at, (byte) value);
        case 2 -> memory.putShort(at, (short) value);
        case 4 -> memory.putInt(at, (int) value);
        default -> memory.putLong(at, value);
      }
      at += format.size();
    } while (arguments.hasNext());
  }
}
