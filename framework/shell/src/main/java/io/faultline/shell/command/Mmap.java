// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;
import io.faultline.shell.Arguments;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.AddressView;
import io.faultline.shell.word.MmanNames;
import io.faultline.shell.word.ProtectionWord;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code mmap(2)}. */
@Component(service = Mmap.class)
@GogoCommand(scope = Command.SCOPE, function = "mmap")
public final class Mmap extends Command {
  private final Tasks tasks;
  private final VmaService vmas;

  /** Injected. */
  @Activate
  public Mmap(@Reference Tasks tasks, @Reference VmaService vmas) {
    this.tasks = tasks;
    this.vmas = vmas;
  }

  /** The command. */
  @Descriptor("""
      map a file, or anonymous memory, and print the address
      usage: mmap [PID] LENGTH PROTECTION [FLAGS] [FD] [OFFSET] [at ADDRESS]
      LENGTH and OFFSET are bytes, or 16k, 2M, 4p (pages). PROTECTION is rw-, r--, none or read,write.
      FLAGS are MAP_ names joined by commas (| only within quotes); without, private,anonymous, and with
      an FD shared.
      example: mmap 1 8p rw- shared 0
      example: mmap 1 16k rw-
      example: mmap 1 4p r-- private,fixed 0 0 at 0x10000000""")
  public @Nullable Object mmap(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          long length = arguments.size("LENGTH");
          int prot = arguments.next("PROTECTION", ProtectionWord::parse);
          Integer flags = null;
          String flagsWord = "";
          if (arguments.hasNext() && !followsFlags(arguments)) {
            flagsWord = String.valueOf(arguments.peek());
            flags = arguments.next("FLAGS", MmanNames.MAP::union);
          }
          int fd = -1;
          long offset = 0;
          if (arguments.hasNext() && !"at".equals(arguments.peek())) {
            fd = arguments.descriptor();
            if (arguments.hasNext() && !"at".equals(arguments.peek())) {
              offset = arguments.size("OFFSET");
            }
          }
          long address = arguments.take("at") ? arguments.address("ADDRESS") : 0;
          arguments.end();
          if (flags != null && fd < 0 && (flags & Mman.MAP_ANONYMOUS) == 0) {
            throw arguments.wrong(
                "FLAGS", flagsWord,
                "needs an FD behind it, or anonymous: " + flagsWord + ",anonymous");
          }
          if (flags == null) {
            flags = fd >= 0 ? Mman.MAP_SHARED : Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS;
          }
          return AddressView.of(vmas.mmap(task, address, length, prot, flags, fd, offset));
        });
  }

  /** A plain number is a descriptor; flags as a number are written 0x22. */
  private static boolean followsFlags(Arguments arguments) {
    String word = String.valueOf(arguments.peek());
    return word.equals("at") || word.matches("[0-9]+");
  }
}
