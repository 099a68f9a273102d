// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.word.ProtectionWord;
import io.faultline.shell.word.Range;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code mprotect(2)}. */
@Component(service = Mprotect.class)
@GogoCommand(scope = Command.SCOPE, function = "mprotect")
public final class Mprotect extends Command {
  private final Tasks tasks;
  private final VmaService vmas;

  /** Injected. */
  @Activate
  public Mprotect(@Reference Tasks tasks, @Reference VmaService vmas) {
    this.tasks = tasks;
    this.vmas = vmas;
  }

  /** The command. */
  @Descriptor("""
      change what a range may be used for
      usage: mprotect [PID] ADDRESS LENGTH PROTECTION
      PROTECTION is rw-, r--, r-x, none or read,write. START-END may stand for ADDRESS LENGTH.
      example: mprotect 1 0x7ffff7ff4000 2p r--""")
  public @Nullable Object mprotect(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          Range range = arguments.range();
          int prot = arguments.next("PROTECTION", ProtectionWord::parse);
          arguments.end();
          vmas.mprotect(task, range.start(), range.length(), prot);
          return null;
        });
  }
}
