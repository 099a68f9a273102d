// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.AddressView;
import io.faultline.shell.word.Address;
import io.faultline.shell.word.Size;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code brk(2)}. */
@Component(service = Brk.class)
@GogoCommand(scope = Command.SCOPE, function = "brk")
public final class Brk extends Command {
  private final Tasks tasks;
  private final VmaService vmas;

  /** Injected. */
  @Activate
  public Brk(@Reference Tasks tasks, @Reference VmaService vmas) {
    this.tasks = tasks;
    this.vmas = vmas;
  }

  /** The command. */
  @Descriptor("""
      move the end of the heap, and print it
      usage: brk [PID] [ADDRESS|+SIZE|-SIZE]
      Alone it prints where the heap ends.
      example: brk 1
      example: brk 1 +16p""")
  public @Nullable Object brk(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.processOrCurrent(tasks);
          long now = vmas.brk(task, 0);
          if (!arguments.hasNext()) {
            return AddressView.of(now);
          }
          long wanted =
              arguments.next(
                  "ADDRESS",
                  word -> switch (word.isEmpty() ? ' ' : word.charAt(0)) {
                    case '+' -> now + Size.parse(word.substring(1));
                    case '-' -> now - Size.parse(word.substring(1));
                    default -> Address.parse(word).value();
                  });
          arguments.end();
          long result = vmas.brk(task, wanted);
          if (result != wanted) {
            throw new ErrnoException(
                Errno.ENOMEM,
                "the heap cannot end at " + new Address(wanted) + ", it stays as it is");
          }
          return AddressView.of(result);
        });
  }
}
