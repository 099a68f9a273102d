// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.CoreDumps;
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

/** {@code /proc/sys/kernel/core_pattern}. */
@Component(service = CorePattern.class)
@GogoCommand(scope = Command.SCOPE, function = "core_pattern")
public final class CorePattern extends Command {
  private final CoreDumps cores;

  /** Injected. */
  @Activate
  public CorePattern(@Reference CoreDumps cores) {
    this.cores = cores;
  }

  /** The command. */
  @Descriptor("""
      show or set where a process that dies of SIGSEGV or SIGBUS dumps its core
      usage: core_pattern [TEMPLATE|off]
      In TEMPLATE, %p is the process, %e its name, %s the signal, %t the time, %u the user, %h the
      host. While one is set, a refused access ends its process, as on Linux. Quote it for the shell.
      example: core_pattern
      example: core_pattern '/tmp/core.%e.%p'
      example: core_pattern off""")
  public @Nullable Object core_pattern(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          if (!arguments.hasNext()) {
            String template = cores.pattern();
            return new Text(template.isEmpty() ? "off" : template);
          }
          String template = arguments.word("TEMPLATE");
          arguments.end();
          try {
            cores.setPattern(template.equals("off") ? "" : template);
          } catch (IllegalArgumentException e) {
            throw new CommandException("core_pattern: " + e.getMessage());
          }
          return null;
        });
  }
}
