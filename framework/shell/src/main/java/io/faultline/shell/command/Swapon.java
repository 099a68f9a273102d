// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Swaps;
import io.faultline.mm.Mman;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Text;
import io.faultline.shell.word.Size;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code swapon(8)}. */
@Component(service = Swapon.class)
@GogoCommand(scope = Command.SCOPE, function = "swapon")
public final class Swapon extends Command {
  private final Swaps swaps;

  /** Injected. */
  @Activate
  public Swapon(@Reference Swaps swaps) {
    this.swaps = swaps;
  }

  /** The command. */
  @Descriptor("""
      use a swap device again that was switched off
      usage: swapon SWAP-DEVICE
      A device is switched on by itself when its driver is installed, so this is for one that swapoff
      has switched off. SWAP-DEVICE is its name, as swaps prints it.
      example: swapon /dev/zram1""")
  public @Nullable Object swapon(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          String name = arguments.word("SWAP-DEVICE");
          arguments.end();
          swaps.swapon(name);
          return swaps.list().stream().filter(one -> one.name().equals(name)).findAny()
              .map(Swapon::line).orElse(null);
        });
  }

  private static Text line(SwapInfo device) {
    return new Text(
        "%s is on: %s, %s used, priority %d".formatted(
            device.name(), Size.format(device.slots() * Mman.PAGE_SIZE),
            Size.format(device.used() * Mman.PAGE_SIZE), device.priority()));
  }
}
