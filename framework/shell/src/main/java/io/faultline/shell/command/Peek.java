// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UserMemory;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.HexDump;
import io.faultline.shell.view.Text;
import io.faultline.shell.view.ValueRow;
import io.faultline.shell.word.Address;
import io.faultline.shell.word.DataFormat;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Loads from the memory of a process. */
@Component(service = Peek.class)
@GogoCommand(scope = Command.SCOPE, function = "peek")
public final class Peek extends Command {
  private final Tasks tasks;

  /** Injected. */
  @Activate
  public Peek(@Reference Tasks tasks) {
    this.tasks = tasks;
  }

  /** The command. */
  @Descriptor("""
      load from the memory of a process, with page faults as on real hardware
      usage: peek [PID] ADDRESS [COUNT] [hex|text|string|byte|short|int|long]
      COUNT counts bytes, or integers. Without a format it is a dump in hex, of 64 bytes if no COUNT is given.
      example: peek 1 0x7ffff7ff4000
      example: peek 1 0x7ffff7ff4000 4 int
      example: peek 1 0x7ffff7ff4000 string""")
  public @Nullable Object peek(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          long address = arguments.address("ADDRESS");
          Integer count = null;
          DataFormat format = null;
          while (arguments.hasNext() && (count == null || format == null)) {
            DataFormat named = DataFormat.find(String.valueOf(arguments.peek()));
            if (named != null && format == null) {
              format = arguments.next("FORMAT", word -> named);
            } else if (named == null && count == null) {
              count = Transfer.count(arguments);
            } else {
              break;
            }
          }
          arguments.end();
          UserMemory memory = task.newCpu();
          if (format == null || format == DataFormat.HEX) {
            return new HexDump(address, bytes(memory, address, count == null ? 64 : count));
          }
          return switch (format) {
            case TEXT ->
                new Text(Transfer.text(bytes(memory, address, count == null ? 64 : count)));
            case STRING -> new Text(string(memory, address, count == null ? 4096 : count));
            default -> integers(memory, address, count == null ? 1 : count, format);
          };
        });
  }

  private static byte[] bytes(UserMemory memory, long address, int count) {
    byte[] bytes = new byte[count];
    memory.read(address, MemorySegment.ofArray(bytes));
    return bytes;
  }

  private static String string(UserMemory memory, long address, int atMost) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < atMost; i++) {
      byte one = memory.getByte(address + i);
      if (one == 0) {
        break;
      }
      bytes.write(one);
    }
    return Transfer.text(bytes.toByteArray());
  }

  private static Object integers(
      UserMemory memory, long address, int count, DataFormat format) {
    List<ValueRow> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long at = address + (long) i * format.size();
      long value =
          switch (format.size()) {
            case 1 -> memory.getByte(at);
            case 2 -> memory.getShort(at);
            case 4 -> memory.getInt(at);
            default -> memory.getLong(at);
          };
      rows.add(new ValueRow(new Address(at), value, format));
    }
    return rows.size() == 1 ? rows.getFirst() : ValueRow.table(rows);
  }
}
