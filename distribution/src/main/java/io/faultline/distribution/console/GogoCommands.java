// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.util.Dictionary;
import java.util.Hashtable;
import org.apache.felix.gogo.jline.Builtin;
import org.apache.felix.gogo.jline.Converters;
import org.apache.felix.gogo.jline.Posix;
import org.apache.felix.gogo.jline.Procedural;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.Converter;
import org.osgi.framework.BundleContext;

/**
 * Gogo's own commands, less those that have no place here (telnet and SSH servers, an editor). Gogo's
 * activator would register all of them and open the terminal at once, even where a single command is
 * run: it would then swallow Ctrl-C. So its bundle is a library here and is not started.
 */
final class GogoCommands {
  private GogoCommands() {}

  static void register(BundleContext context, CommandProcessor processor) {
    context.registerService(Converter.class, new Converters(context), null);
    add(
        context,
        new Builtin(),
        "format", "getopt", "new", "set", "tac", "type", "jobs", "fg", "bg", "keymap", "setopt",
        "unsetopt", "complete", "history", "widget", "__files", "__directories",
        "__usage_completion");
    add(
        context,
        new Procedural(),
        "each", "if", "not", "throw", "try", "until", "while", "break", "continue");
    add(
        context,
        new Posix(processor),
        "cat", "echo", "grep", "sort", "sleep", "cd", "pwd", "ls", "less", "watch", "head", "tail",
        "clear", "wc", "date");
  }

  static void add(BundleContext context, Object commands, String... functions) {
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(CommandProcessor.COMMAND_SCOPE, "gogo");
    properties.put(CommandProcessor.COMMAND_FUNCTION, functions);
    context.registerService(Object.class, commands, properties);
  }
}
