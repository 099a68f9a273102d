// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.device.PageAllocator;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.Parameter;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code replay}: in the shell, and what {@code faultline replay} calls. It returns normally when all
 * is exact, and throws {@link ReplayDivergedException} when not, {@link IllegalArgumentException}
 * for wrong arguments.
 */
@Component(service = ReplayCommand.class)
@GogoCommand(scope = "faultline", function = "replay")
public final class ReplayCommand {
  private static final int MOST_JOBS = 8;

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
      @Reference io.faultline.kernel.Files files,
      @Reference Proc proc,
      @Reference PageAllocator pages) {
    replayer = new Replayer(new KernelServices(tasks, memory, faults, files, proc, pages));
  }

  /**
   * Replays recordings.
   *
   * @param results where to write {@code NAME.results}, or empty
   * @param from first line that is compared
   * @param to last line that is carried out, 0 for the last there is
   * @param jobs how many at once, 0 for one a processor
   * @param stopAtFirst end each replay at its first divergence and explain it
   * @param json print JSON
   * @param keep leave the replayed processes alive
   * @param recordings directories
   * @throws IllegalArgumentException when an argument makes no sense
   * @throws IOException when results cannot be written
   * @throws InterruptedException when the command is stopped
   * @throws ReplayDivergedException when not all is exact
   */
  @Descriptor("replays recordings of real Linux programs and compares every result and map\n"
      + "   example: replay --stop-at-first recordings/corpus/ls\n"
      + "   example: replay --to 40 --keep recordings/corpus/ls")
  public void replay(
      CommandSession session,
      @Descriptor("write DIR/NAME.results, in the recordings' result format") @Parameter(
          names = {"--results"}, absentValue = "") String results,
      @Descriptor("compare from this line on") @Parameter(names = {"--from"},
          absentValue = "1") int from,
      @Descriptor("end behind this line") @Parameter(names = {"--to"}, absentValue = "0") int to,
      @Descriptor("how many replays at once") @Parameter(names = {"--jobs"},
          absentValue = "0") int jobs,
      @Descriptor("end at the first divergence and show both maps") @Parameter(
          names = {"--stop-at-first"},
          presentValue = "true",
          absentValue = "false") boolean stopAtFirst,
      @Descriptor("one line of JSON for each recording") @Parameter(names = {"--json"},
          presentValue = "true", absentValue = "false") boolean json,
      @Descriptor("leave the replayed process alive, to look at it") @Parameter(names = {"--keep"},
          presentValue = "true", absentValue = "false") boolean keep,
      @Descriptor("directories, each with a calls.strace") String... recordings)
      throws IOException, InterruptedException, ReplayDivergedException {
    if (recordings.length == 0) {
      throw new IllegalArgumentException(
          "no recording given; example: replay recordings/corpus/ls");
    }
    if (jobs < 0 || jobs > MOST_JOBS) {
      throw new IllegalArgumentException("--jobs: " + jobs + " is not in 0.." + MOST_JOBS);
    }
    Path here = session.currentDir();
    List<Path> directories = new ArrayList<>();
    for (String recording : recordings) {
      if (recording.startsWith("--")) {
        throw new IllegalArgumentException("no option " + recording + "; see: help replay");
      }
      directories.add(here.resolve(recording));
    }
    ReplayOptions options =
        new ReplayOptions(from, to == 0 ? Integer.MAX_VALUE : to, stopAtFirst, keep);
    PrintStream out = session.getConsole();
    ReplayRun run =
        new ReplayRun(
            replayer,
            options,
            results.isEmpty() ? null : here.resolve(results),
            json,
            out,
            new Progress(System.err, Progress.isTerminal(), directories.size()));
    int processors = Runtime.getRuntime().availableProcessors();
    ReplaySummary summary =
        run.run(directories, jobs == 0 ? Math.min(processors, MOST_JOBS) : jobs);
    for (ReplayResult result : summary.results()) {
      Task task = result.kept();
      if (task != null) {
        out.printf("%s is process %d; try: maps %d%n", result.name(), task.pid(), task.pid());
      }
    }
    if (!summary.exact()) {
      throw new ReplayDivergedException(
          "not exact: %d of %d recordings"
              .formatted(
                  directories.size()
                      - summary.results().stream().filter(ReplayResult::exact).count(),
                  directories.size()));
    }
  }
}
