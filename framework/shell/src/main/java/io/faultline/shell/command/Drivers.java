// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Devices;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.DriverRow;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists drivers. */
@Component(service = Drivers.class)
@GogoCommand(scope = Command.SCOPE, function = "drivers")
public final class Drivers extends Command {
  private final Devices devices;

  /** Injected. */
  @Activate
  public Drivers(@Reference Devices devices) {
    this.devices = devices;
  }

  /** The command. */
  @Descriptor("""
      list the drivers, with their devices, pages, faults and errors
      usage: drivers
      example: drivers""")
  public @Nullable Object drivers(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          arguments.end();
          return DriverRow.table(devices.list());
        });
  }
}
