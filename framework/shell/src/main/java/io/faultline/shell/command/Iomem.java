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

/** {@code cat /proc/iomem}. */
@Component(service = Iomem.class)
@GogoCommand(scope = Command.SCOPE, function = "iomem")
public final class Iomem extends ProcText {
  private final Proc proc;

  /** Injected. */
  @Activate
  public Iomem(@Reference Proc proc) {
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print /proc/iomem: memory, and where the registers of devices lie behind it
      usage: iomem
      example: iomem | grep edu0""")
  public @Nullable Object iomem(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, proc::iomem);
  }
}
