// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code cat /proc/swaps}. */
@Component(service = SwapsCommand.class)
@GogoCommand(scope = Command.SCOPE, function = "swaps")
public final class SwapsCommand extends ProcText {
  private final Proc proc;

  /** Injected. */
  @Activate
  public SwapsCommand(@Reference Proc proc) {
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print /proc/swaps: the swap devices in use, as the kernel writes them
      usage: swaps
      example: swaps""")
  public @Nullable Object swaps(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, proc::swaps);
  }
}
