// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.word.MmanNames;
import io.faultline.shell.word.Range;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code madvise(2)}. */
@Component(service = Madvise.class)
@GogoCommand(scope = Command.SCOPE, function = "madvise")
public final class Madvise extends Command {
  private final Tasks tasks;
  private final VmaService vmas;

  /** Injected. */
  @Activate
  public Madvise(@Reference Tasks tasks, @Reference VmaService vmas) {
    this.tasks = tasks;
    this.vmas = vmas;
  }

  /** The command. */
  @Descriptor("""
      advise the kernel about a range
      usage: madvise [PID] ADDRESS LENGTH ADVICE
      ADVICE is an MADV_ name. START-END may stand for ADDRESS LENGTH.
      example: madvise 1 0x7ffff7ff4000 2p dontneed""")
  public @Nullable Object madvise(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          Range range = arguments.range();
          int advice = arguments.next("ADVICE", MmanNames.MADV::one);
          arguments.end();
          vmas.madvise(task, range.start(), range.length(), advice);
          return null;
        });
  }
}
