// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Swaps;
import io.faultline.mm.ErrnoException;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Text;
import java.io.PrintStream;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code swapoff(8)}. */
@Component(service = Swapoff.class)
@GogoCommand(scope = Command.SCOPE, function = "swapoff")
public final class Swapoff extends Command {
  private static final long SECOND_MILLIS = 1000;

  private final Swaps swaps;

  /** Injected. */
  @Activate
  public Swapoff(@Reference Swaps swaps) {
    this.swaps = swaps;
  }

  /** The command. */
  @Descriptor("""
      move all pages of a swap device home, and let go of it
      usage: swapoff SWAP-DEVICE
      They go back to memory, or to other devices. Where they do not fit, or cannot be read, the device
      stays in use. Tells every second how many are left.
      example: swapoff /dev/zram0""")
  public @Nullable Object swapoff(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          String name = arguments.word("SWAP-DEVICE");
          arguments.end();
          long pages = used(name);
          long begin = System.nanoTime();
          Thread progress =
              Thread.ofVirtual().start(() -> tell(name, session.getConsole()));
          try {
            swaps.swapoff(name);
          } catch (ErrnoException e) {
            throw wrapped(e, name, pages);
          } finally {
            progress.interrupt();
          }
          return new Text(
              "%s is off: %,d pages moved home in %.1f s".formatted(
                  name, pages, (System.nanoTime() - begin) / 1e9));
        });
  }

  /** With how far it came, where it came to anything. */
  private ErrnoException wrapped(ErrnoException e, String name, long pages) {
    long left = used(name);
    return pages == 0
        ? e
        : new ErrnoException(
            e.errno(),
            "%s; %,d pages are there, and it stays in use".formatted(e.getMessage(), left));
  }

  private void tell(String name, PrintStream out) {
    try {
      while (true) {
        Thread.sleep(SECOND_MILLIS);
        out.printf("%s: %,d pages left%n", name, used(name));
        out.flush();
      }
    } catch (InterruptedException e) {
      // It is over.
    }
  }

  private long used(String name) {
    return swaps.list().stream().filter(one -> one.name().equals(name)).findAny()
        .map(SwapInfo::used).orElse(0L);
  }
}
