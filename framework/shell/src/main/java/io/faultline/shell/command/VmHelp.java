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
@Component(service = VmHelp.class)
@GogoCommand(scope = Command.SCOPE, function = "vmhelp")
public final class VmHelp extends Command {
  /** The command. */
  @Descriptor("""
      the same as help, for shells where another help comes first
      usage: vmhelp [COMMAND]
      example: vmhelp mmap""")
  public @Nullable Object vmhelp(CommandSession session, String... words) throws CommandException {
    return run(session, words, arguments -> HelpText.answer(session, arguments));
  }
}
