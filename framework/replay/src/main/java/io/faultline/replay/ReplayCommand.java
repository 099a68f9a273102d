// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.device.PageAllocator;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code replay}, for the shell and for the distribution's script: it returns normally when all is
 * exact and throws when not, which is an exit status of 0 or 1.
 */
@Component(service = ReplayCommand.class)
@GogoCommand(scope = "faultline", function = "replay")
public final class ReplayCommand {
  private final Replayer replayer;

  /**
   * Takes the kernel's services.
   *
   * @param tasks the process table
   * @param memory the memory calls
   * @param faults the fault handler
   * @param files the descriptors
   * @param proc the maps texts
   * @param pages frames for recorded files
   */
  @Activate
  public ReplayCommand(
      @Reference Tasks tasks,
      @Reference VmaService memory,
      @Reference FaultDispatcher faults,
      @Reference Files files,
      @Reference Proc proc,
      @Reference PageAllocator pages) {
    replayer = new Replayer(new KernelServices(tasks, memory, faults, files, proc, pages));
  }

  /**
   * The command.
   *
   * @throws CommandException when the arguments are wrong, or not all is exact
   * @throws InterruptedException when it is stopped
   */
  @Descriptor("""
      replay recordings of real Linux programs, and compare every result, touch and map
      usage: replay [OPTION...] DIR...
      A line for each: how much is exactly the kernel's, and how far without a divergence.
      --stop-at-first ends each replay at its first divergence and shows both maps.
      --from LINE compares from that line of calls.strace on; --to LINE ends behind it.
      --keep leaves the replayed processes alive, to look at: maps, peek, mprotect ...
      --results OUT writes OUT/NAME.results; --table FILE writes the scores as a Markdown table.
      --json prints JSON; --jobs N replays N at once.
      example: replay recordings/corpus/ls
      example: replay --stop-at-first recordings/corpus/ls
      example: replay --to 40 --keep recordings/corpus/ls""")
  public void replay(CommandSession session, String... words)
      throws CommandException, InterruptedException {
    ReplayArguments arguments = ReplayArguments.parse(session.currentDir(), List.of(words));
    PrintStream out = session.getConsole();
    int total = arguments.recordings().size();
    Progress progress = new Progress(ProgressLine.onStandardError(), total);
    ReplaySummary summary;
    try {
      summary = new ReplayRun(replayer, arguments, out, progress).run();
    } catch (IOException e) {
      throw new CommandException("replay: --results: " + e);
    }
    writeTable(arguments.table(), summary);
    for (ReplayResult result : summary.results()) {
      Task task = result.kept();
      if (task != null) {
        out.printf("%s is process %d; try: maps %d%n", result.name(), task.pid(), task.pid());
      }
    }
    if (!summary.exact()) {
      long exact = summary.results().stream().filter(ReplayResult::exact).count();
      throw new CommandException(
          "replay: %d of %d recordings exact".formatted(exact, total));
    }
  }

  private static void writeTable(@Nullable Path table, ReplaySummary summary)
      throws CommandException {
    if (table == null) {
      return;
    }
    try {
      java.nio.file.Files.writeString(table, ScoreTable.of(summary.results()));
    } catch (IOException e) {
      throw new CommandException("replay: --table: " + e);
    }
  }
}
