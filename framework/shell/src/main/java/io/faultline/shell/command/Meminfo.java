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

/** {@code cat /proc/meminfo}. */
@Component(service = Meminfo.class)
@GogoCommand(scope = Command.SCOPE, function = "meminfo")
public final class Meminfo extends ProcText {
  private final Proc proc;

  /** Injected. */
  @Activate
  public Meminfo(@Reference Proc proc) {
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print /proc/meminfo: what memory is used for, as the kernel writes it
      usage: meminfo
      example: meminfo
      example: meminfo | grep Anon""")
  public @Nullable Object meminfo(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, proc::meminfo);
  }
}
