// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Devices;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.DeviceRow;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists devices. */
@Component(service = DevicesCommand.class)
@GogoCommand(scope = Command.SCOPE, function = "devices")
public final class DevicesCommand extends Command {
  private final Devices devices;

  /** Injected. */
  @Activate
  public DevicesCommand(@Reference Devices devices) {
    this.devices = devices;
  }

  /** The command. */
  @Descriptor("""
      list the device nodes, with the files and areas that use them
      usage: devices
      example: devices""")
  public @Nullable Object devices(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          arguments.end();
          return DeviceRow.table(devices.list());
        });
  }
}
