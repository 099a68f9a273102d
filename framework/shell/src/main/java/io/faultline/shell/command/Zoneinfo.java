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

/** {@code cat /proc/zoneinfo}. */
@Component(service = Zoneinfo.class)
@GogoCommand(scope = Command.SCOPE, function = "zoneinfo")
public final class Zoneinfo extends ProcText {
  private final Proc proc;

  /** Injected. */
  @Activate
  public Zoneinfo(@Reference Proc proc) {
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print /proc/zoneinfo: free pages and watermarks of the one zone
      usage: zoneinfo
      example: zoneinfo | grep low""")
  public @Nullable Object zoneinfo(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, proc::zoneinfo);
  }
}
