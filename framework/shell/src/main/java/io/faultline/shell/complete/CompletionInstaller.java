// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

import io.faultline.shell.Command;
import io.faultline.shell.Manual;
import io.faultline.shell.command.Catalogue;
import io.faultline.shell.command.Others;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.CommandSessionListener;
import org.osgi.service.component.annotations.Component;

/**
 * Makes our completer known to each interactive session, with the first line that it runs (its
 * profile, as a rule). So no profile need list the commands, and a bundle that is updated under a
 * running shell brings its new ones along.
 */
@Component(immediate = true)
public final class CompletionInstaller implements CommandSessionListener {
  private static final String COMPLETIONS = ".completions";
  private static final String MARK = ".faultline.completions";

  @Override
  @SuppressWarnings("unchecked") // what gogo.jline keeps under this name
  public void beforeExecute(CommandSession session, CharSequence command) {
    if (session.get(COMPLETIONS) instanceof Map<?, ?> completions
        && session.get(MARK) != this) {
      session.put(MARK, this);
      for (Class<? extends Command> each : Catalogue.typed()) {
        Manual manual = Manual.of(each);
        ((Map<String, Object>) completions)
            .put(Command.SCOPE + ":" + manual.name(), CommandLine.ours(manual));
      }
      for (Manual manual : Others.manuals(session)) {
        ((Map<String, Object>) completions)
            .put(Command.SCOPE + ":" + manual.name(), CommandLine.others(manual));
      }
    }
  }

  @Override
  public void afterExecute(CommandSession session, CharSequence command, Exception exception) {}

  @Override
  public void afterExecute(CommandSession session, CharSequence command, Object result) {}
}
