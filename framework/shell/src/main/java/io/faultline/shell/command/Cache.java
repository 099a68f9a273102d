// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Files;
import io.faultline.kernel.PageCacheCounts;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Text;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** What the page cache holds. */
@Component(service = Cache.class)
@GogoCommand(scope = Command.SCOPE, function = "cache")
public final class Cache extends Command {
  private final Files files;

  /** Injected. */
  @Activate
  public Cache(@Reference Files files) {
    this.files = files;
  }

  /** The command. */
  @Descriptor("""
      how many pages of files are in memory, and how many of them differ from what is stored
      usage: cache
      example: cache""")
  public @Nullable Object cache(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          arguments.end();
          PageCacheCounts now = files.pageCache();
          return new Text(
              "pages of files: cached %d (%dk), dirty %d, writeback %d".formatted(
                  now.cached(), now.cached() * 4, now.dirty(), now.writeback()));
        });
  }
}
