// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

import io.faultline.shell.Command;
import io.faultline.shell.Manual;
import io.faultline.shell.command.Catalogue;
import io.faultline.shell.command.Others;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.CommandSessionListener;
import org.osgi.service.component.annotations.Component;

/**
 * Makes our completer known to each interactive session, with the first line that it runs (its
 * profile, as a rule), and again when commands have come or gone. So no profile need list them.
 */
@Component(immediate = true)
public final class CompletionInstaller implements CommandSessionListener {
  private static final String COMPLETIONS = ".completions";
  private static final String COMMANDS = ".commands";

  /** How many commands there were when completions were put in. */
  private static final String SEEN = ".faultline.completions";

  @Override
  @SuppressWarnings("unchecked") // what gogo.jline keeps under this name
  public void beforeExecute(CommandSession session, CharSequence command) {
    if (session.get(COMPLETIONS) instanceof Map<?, ?> completions
        && session.get(COMMANDS) instanceof Collection<?> commands
        && !Integer.valueOf(commands.size()).equals(session.get(SEEN))) {
      session.put(SEEN, commands.size());
      install((Map<String, Object>) completions, session, commands);
    }
  }

  private static void install(
      Map<String, Object> completions, CommandSession session, Collection<?> commands) {
    Map<String, Object> ours = new HashMap<>();
    Catalogue.typed().stream()
        .map(Manual::of)
        .forEach(manual -> ours.put(manual.name(), CommandLine.ours(manual)));
    Others.manuals(session)
        .forEach(manual -> ours.put(manual.name(), CommandLine.others(manual, commands)));
    // Under every scope that has a command of that name: of several, gogo.jline completes the one
    // that comes last in SCOPE, but Gogo runs the first, which is ours.
    for (Object command : commands) {
      String name = command.toString();
      Object completion = ours.get(name.substring(name.indexOf(':') + 1));
      if (completion != null) {
        completions.put(name, completion);
      }
    }
    ours.forEach((name, completion) -> completions.put(Command.SCOPE + ":" + name, completion));
  }

  @Override
  public void afterExecute(CommandSession session, CharSequence command, Exception exception) {}

  @Override
  public void afterExecute(CommandSession session, CharSequence command, Object result) {}
}
