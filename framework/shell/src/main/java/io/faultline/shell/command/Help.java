// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;

/** Explains commands. */
@Component(service = Help.class)
@GogoCommand(scope = Command.SCOPE, function = "help")
public final class Help extends Command {
  /** The command. */
  @Descriptor("""
      list Faultline's commands, or explain one
      usage: help [COMMAND]
      example: help mmap""")
  public @Nullable Object help(CommandSession session, String... words) throws CommandException {
    return run(session, words, arguments -> HelpText.answer(session, arguments));
  }
}
