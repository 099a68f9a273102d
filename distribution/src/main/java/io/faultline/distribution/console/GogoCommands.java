// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import org.apache.felix.gogo.jline.Builtin;
import org.apache.felix.gogo.jline.Converters;
import org.apache.felix.gogo.jline.Posix;
import org.apache.felix.gogo.jline.Procedural;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.Converter;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Gogo's own commands, less those that have no place here (telnet and SSH servers, an editor). Gogo's
 * activator would register all of them and open the terminal at once, even where a single command is
 * run: it would then swallow Ctrl-C. So its bundle is a library here and is not started.
 */
@Component(service = {}, immediate = true)
public final class GogoCommands {
  private final List<ServiceRegistration<?>> registrations;

  /**
   * Registers them.
   *
   * @param context this bundle's
   * @param processor runs command lines
   */
  @Activate
  public GogoCommands(BundleContext context, @Reference CommandProcessor processor) {
    registrations =
        List.of(
            context.registerService(Converter.class, new Converters(context), null),
            add(
                context,
                new Builtin(),
                "format", "getopt", "new", "set", "tac", "type", "jobs", "fg", "bg", "keymap",
                "setopt", "unsetopt", "complete", "history", "widget", "__files", "__directories",
                "__usage_completion"),
            add(
                context,
                new Procedural(),
                "each", "if", "not", "throw", "try", "until", "while", "break", "continue"),
            add(
                context,
                new Posix(processor),
                "cat", "echo", "grep", "sort", "sleep", "cd", "pwd", "ls", "less", "watch", "head",
                "tail", "clear", "wc", "date"));
  }

  @Deactivate
  void close() {
    registrations.forEach(ServiceRegistration::unregister);
  }

  static ServiceRegistration<?> add(
      BundleContext context, Object commands, String... functions) {
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(CommandProcessor.COMMAND_SCOPE, "gogo");
    properties.put(CommandProcessor.COMMAND_FUNCTION, functions);
    return context.registerService(Object.class, commands, properties);
  }
}
