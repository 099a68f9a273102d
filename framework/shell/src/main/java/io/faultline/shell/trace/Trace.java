// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.trace;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.TraceListener;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Text;
import io.faultline.shell.word.WordException;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.CommandSessionListener;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Shows what the kernel does while it does it. Registered as a listener only while some session
 * traces, since the kernel makes no events without one. It also listens to the sessions, so that a
 * command's events are on the screen before its result is.
 */
@Component(service = {Trace.class, CommandSessionListener.class}, immediate = true)
@GogoCommand(scope = Command.SCOPE, function = "trace")
public final class Trace extends Command implements CommandSessionListener {
  private record Running(TracePrinter printer, Runnable unregister) {
    void stop() {
      unregister.run();
      printer.settle();
      printer.close();
    }
  }

  private final Tasks tasks;
  private final Function<TraceListener, Runnable> kernel;
  private final Map<CommandSession, Running> running = new ConcurrentHashMap<>();

  /** Injected. */
  @Activate
  public Trace(@Reference Tasks tasks, BundleContext context) {
    this(
        tasks,
        listener -> {
          ServiceRegistration<?> registration =
              context.registerService(TraceListener.class, listener, null);
          return registration::unregister;
        });
  }

  /**
   * @param kernel makes a listener known to the kernel, and answers how to undo that
   */
  public Trace(Tasks tasks, Function<TraceListener, Runnable> kernel) {
    this.tasks = tasks;
    this.kernel = kernel;
  }

  /** Ends all traces. */
  @Deactivate
  public void stop() {
    running.values().forEach(Running::stop);
    running.clear();
  }

  /** The command. */
  @Descriptor("""
      show live what the kernel and the drivers do, above the prompt
      usage: trace on|off [PID] [KIND...]
      KIND is spawn, fork, exit, call, mmap, open, close, nopage, populate, io, fault, signal or driver;
      without one, all but fault, call and io are shown. all shows everything.
      example: trace on
      example: trace on 1 open close nopage
      example: trace off""")
  public @Nullable Object trace(CommandSession session, String... words) throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          if (arguments.take("off")) {
            arguments.end();
            stop(session);
            return null;
          }
          if (!arguments.take("on")) {
            if (!arguments.hasNext()) {
              return new Text("trace is " + (running.containsKey(session) ? "on" : "off"));
            }
            throw arguments.wrong("", arguments.word("on|off"), "is neither on nor off");
          }
          Task task = arguments.processIfNamed(tasks);
          Set<TraceEvent.Kind> kinds = EnumSet.noneOf(TraceEvent.Kind.class);
          boolean all = arguments.take("all");
          while (!all && arguments.hasNext()) {
            kinds.add(arguments.next("KIND", Trace::kind));
          }
          arguments.end();
          if (kinds.isEmpty() && !all) {
            kinds =
                EnumSet.complementOf(
                    EnumSet.of(
                        TraceEvent.Kind.CALL, TraceEvent.Kind.FAULT, TraceEvent.Kind.IO));
          }
          stop(session);
          start(session, kinds, task == null ? null : task.pid());
          return null;
        });
  }

  private static TraceEvent.Kind kind(String word) throws WordException {
    for (TraceEvent.Kind kind : TraceEvent.Kind.values()) {
      if (kind.name().equalsIgnoreCase(word)) {
        return kind;
      }
    }
    throw new WordException("is not a kind of event: write " + kinds());
  }

  private static String kinds() {
    return Stream.of(TraceEvent.Kind.values())
        .map(kind -> kind.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(", "));
  }

  private void start(CommandSession session, Set<TraceEvent.Kind> kinds, @Nullable Integer pid) {
    TracePrinter printer = new TracePrinter(sink(session), kinds, pid);
    printer.start();
    running.put(session, new Running(printer, kernel.apply(printer)));
  }

  private void stop(CommandSession session) {
    Running trace = running.remove(session);
    if (trace != null) {
      trace.stop();
    }
  }

  private static Sink sink(CommandSession session) {
    Sink sink = session.get(".reader") == null ? null : ReaderSink.of(session);
    return sink != null ? sink : new StreamSink(session.getConsole());
  }

  @Override
  public void beforeExecute(CommandSession session, CharSequence command) {}

  @Override
  public void afterExecute(CommandSession session, CharSequence command, Exception exception) {
    settle(session);
  }

  @Override
  public void afterExecute(CommandSession session, CharSequence command, Object result) {
    settle(session);
  }

  private void settle(CommandSession session) {
    Running trace = running.get(session);
    if (trace != null) {
      trace.printer().settle();
    }
  }
}
