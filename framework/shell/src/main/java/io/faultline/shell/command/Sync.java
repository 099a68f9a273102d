// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Files;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code sync(2)}. */
@Component(service = Sync.class)
@GogoCommand(scope = Command.SCOPE, function = "sync")
public final class Sync extends Command {
  private final Files files;

  /** Injected. */
  @Activate
  public Sync(@Reference Files files) {
    this.files = files;
  }

  /** The command. */
  @Descriptor("""
      write the dirty pages of all files to where they are stored
      usage: sync
      example: sync""")
  public @Nullable Object sync(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          arguments.end();
          files.sync();
          return null;
        });
  }
}
