// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.Manual;
import io.faultline.shell.word.Nearest;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;

/** What Gogo calls for a command that is not there; without it, the answer is an exception's name. */
@Component(service = Unknown.class)
@GogoCommand(scope = Command.SCOPE, function = "default")
public final class Unknown extends Command {
  /** The command. The underscore is Gogo's way round Java's keyword. */
  @Descriptor("""
      say that there is no such command, and which may have been meant; the shell calls it
      usage: _default COMMAND...
      example: maqs 1""")
  public @Nullable Object _default(CommandSession session, String... words)
      throws CommandException {
    String name = words.length == 0 ? "" : words[0];
    if (Catalogue.find(name) != null) {
      throw new CommandException(
          name + ": the kernel is not running, and this command needs it; see: lb kernel");
    }
    String nearest = Nearest.to(name, names(session));
    throw new CommandException(
        name
            + ": there is no such command; "
            + (nearest.isEmpty() ? "help lists them" : "did you mean " + nearest + "?"));
  }

  private static Set<String> names(CommandSession session) {
    Set<String> names = new TreeSet<>();
    Catalogue.typed().forEach(command -> names.add(Manual.of(command).name()));
    if (session.get(".commands") instanceof Collection<?> commands) {
      for (Object command : commands) {
        String name = command.toString();
        String plain = name.substring(name.indexOf(':') + 1);
        if (!plain.startsWith("_") && !plain.equals("default")) {
          names.add(plain);
        }
      }
    }
    return names;
  }
}
