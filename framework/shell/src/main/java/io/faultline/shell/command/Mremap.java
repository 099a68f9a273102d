// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.AddressView;
import io.faultline.shell.word.MmanNames;
import io.faultline.shell.word.Range;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code mremap(2)}. */
@Component(service = Mremap.class)
@GogoCommand(scope = Command.SCOPE, function = "mremap")
public final class Mremap extends Command {
  private final Tasks tasks;
  private final VmaService vmas;

  /** Injected. */
  @Activate
  public Mremap(@Reference Tasks tasks, @Reference VmaService vmas) {
    this.tasks = tasks;
    this.vmas = vmas;
  }

  /** The command. */
  @Descriptor("""
      resize or move a mapping, and print its address
      usage: mremap [PID] ADDRESS OLD-LENGTH NEW-LENGTH [FLAGS] [at ADDRESS]
      FLAGS are maymove, fixed, dontunmap, joined by commas; the new address counts with fixed and dontunmap.
      example: mremap 1 0x7ffff7ff4000 2p 8p maymove
      example: mremap 1 0x7ffff7ff4000 2p 2p maymove,fixed at 0x10000000""")
  public @Nullable Object mremap(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          Range old = arguments.range("OLD-LENGTH");
          long newLength = arguments.size("NEW-LENGTH");
          int flags = 0;
          if (arguments.hasNext() && !"at".equals(arguments.peek())) {
            flags = arguments.next("FLAGS", MmanNames.MREMAP::union);
          }
          long address = arguments.take("at") ? arguments.address("ADDRESS") : 0;
          arguments.end();
          return AddressView.of(
              vmas.mremap(task, old.start(), old.length(), newLength, flags, address));
        });
  }
}
