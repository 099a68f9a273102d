// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

import io.faultline.kernel.Devices;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.CurrentProcess;
import io.faultline.shell.Manual;
import io.faultline.shell.command.Catalogue;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The completer of all commands, called by the shell when someone presses Tab. */
@Component(service = Complete.class)
@GogoCommand(scope = Command.SCOPE, function = "__complete")
public final class Complete extends Command {
  private final Suggestions suggestions;

  /** Injected. */
  @Activate
  public Complete(
      @Reference Tasks tasks,
      @Reference VmaService vmas,
      @Reference Devices devices,
      @Reference Proc proc,
      @Reference Swaps swaps) {
    suggestions = new Suggestions(tasks, vmas, devices, proc, swaps);
  }

  /** The command. */
  @Descriptor("""
      offer the words that may come next in the line being typed; the shell calls it
      usage: __complete
      example: complete -c faultline:maps -a faultline:__complete""")
  public @Nullable Object __complete(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          CommandLine line = CommandLine.of(session);
          if (line == null || line.index() == 0) {
            return List.of();
          }
          Manual manual = Catalogue.find(line.words().getFirst());
          if (manual == null) {
            return List.of();
          }
          return CommandLine.candidates(
              suggestions.of(
                  manual,
                  line.words().subList(1, line.index()),
                  line.word(),
                  CurrentProcess.of(session)));
        });
  }
}
