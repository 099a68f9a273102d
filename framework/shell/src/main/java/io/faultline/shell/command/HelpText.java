// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.shell.Arguments;
import io.faultline.shell.CommandException;
import io.faultline.shell.Manual;
import io.faultline.shell.view.Text;
import java.util.ArrayList;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Function;
import org.jspecify.annotations.Nullable;

/** The answers of {@code help} and {@code vmhelp}. */
final class HelpText {
  private static final List<String> OTHER_HELPS = List.of("gogo:help", "felix:help");

  static @Nullable Object answer(CommandSession session, Arguments arguments)
      throws CommandException {
    if (!arguments.hasNext()) {
      return new Text(overview(session));
    }
    String name = arguments.word("COMMAND");
    arguments.end();
    Manual manual = find(session, name);
    if (manual != null) {
      return new Text(manual.page());
    }
    Function another = anotherHelp(session);
    if (another != null && exists(session, name)) {
      return execute(another, session, name);
    }
    throw arguments.wrong("COMMAND", name, "is not a command: help lists them");
  }

  private static @Nullable Manual find(CommandSession session, String name) {
    Manual ours = Catalogue.find(name);
    if (ours != null) {
      return ours;
    }
    String plain = name.substring(name.indexOf(':') + 1);
    return Others.manuals(session).stream()
        .filter(other -> other.name().equals(plain))
        .findFirst()
        .orElse(null);
  }

  private static String overview(CommandSession session) {
    StringBuilder text = new StringBuilder();
    for (Catalogue.Group group : Catalogue.groups()) {
      append(text, group.title(), group.commands().stream().map(Manual::of).toList());
    }
    append(text, "Of other bundles", Others.manuals(session));
    text.append(
        """
        help COMMAND explains one, with examples; Tab completes names and arguments.
        Bundles: lb, install, start, stop, update, uninstall. Text: grep, head, wc, less. Scripts: each, if.
        A pipe takes what a command prints: vmas 1 | grep scullp. A variable keeps what it returns:
        a = (mmap 1 4p rw-); poke 1 $a hello""");
    return text.toString();
  }

  private static void append(StringBuilder text, String title, List<Manual> manuals) {
    if (!manuals.isEmpty()) {
      text.append(title).append('\n');
    }
    for (Manual manual : manuals) {
      text.append("  %-9s %s%n".formatted(manual.name(), manual.summary()));
    }
  }

  private static boolean exists(CommandSession session, String name) {
    return session.get(name.contains(":") ? name : "*:" + name) instanceof Function;
  }

  private static @Nullable Function anotherHelp(CommandSession session) {
    for (String help : OTHER_HELPS) {
      if (session.get(help) instanceof Function function) {
        return function;
      }
    }
    return null;
  }

  private static @Nullable Object execute(Function help, CommandSession session, String name)
      throws CommandException {
    try {
      return help.execute(session, new ArrayList<>(List.of(name)));
    } catch (Exception e) {
      throw new CommandException("help: no help for " + name + ": " + e);
    }
  }

  private HelpText() {}
}
