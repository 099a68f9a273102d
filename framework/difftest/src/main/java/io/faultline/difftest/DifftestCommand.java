// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.device.PageAllocator;
import io.faultline.host.Host;
import io.faultline.host.HostSupport;
import io.faultline.host.linux.HostException;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.replay.KernelServices;
import java.io.PrintStream;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code difftest}, for the shell and for the distribution's script: it returns normally when both
 * kernels always agreed and throws when not, which is an exit status of 0 or 1.
 */
@Component(service = DifftestCommand.class)
@GogoCommand(scope = "faultline", function = "difftest")
public final class DifftestCommand {
  private static final String SERIES = "6.18";

  private final KernelServices kernel;

  /**
   * Takes the kernel's services.
   *
   * @param tasks the process table
   * @param memory the memory calls
   * @param faults the fault handler
   * @param files the descriptors
   * @param proc the maps texts
   * @param pages frames for the tested files
   */
  @Activate
  public DifftestCommand(
      @Reference Tasks tasks,
      @Reference VmaService memory,
      @Reference FaultDispatcher faults,
      @Reference Files files,
      @Reference Proc proc,
      @Reference PageAllocator pages) {
    kernel = new KernelServices(tasks, memory, faults, files, proc, pages);
  }

  /**
   * The command.
   *
   * @throws DifftestException when the arguments are wrong, the machine cannot, or something differs
   * @throws InterruptedException when it is stopped
   */
  @Descriptor("""
      compare random histories of memory calls with this machine's own kernel
      usage: difftest [--minutes N | --seconds N] [--seed S] [--level L] [--most D] [--output DIR]
      After each call or touch the results and the maps of both must agree. A divergence is shrunk to
      the fewest steps and written to DIR/NAME as a recording, for replay. Levels: 1 anonymous memory
      and the heap; 2 touches, advice, locks, mremap; 3 files, shared memory, bad arguments; 4 growing
      areas, populating, limits, guards, forks; 5 sealing, keys, life as the child. Default: all in
      turn, 1 minute, seed 1, at most 5 divergences, DIR difftest.
      example: difftest --minutes 10 --seed 42
      example: difftest --seconds 30 --level 3""")
  public void difftest(CommandSession session, String... words)
      throws DifftestException, InterruptedException {
    DifftestArguments arguments = DifftestArguments.parse(session.currentDir(), List.of(words));
    HostSupport host = Host.supported();
    if (!host.supported()) {
      throw new DifftestException("difftest: " + host.reason());
    }
    PrintStream out = session.getConsole();
    if (!host.isSeries(SERIES)) {
      out.printf("difftest: this kernel is %s, the engine is Linux %s: differences may be theirs%n",
          host.kernel(), SERIES);
    }
    DifftestSummary summary;
    try {
      summary = new DifferentialRun(kernel, arguments, out).run();
    } catch (HostException e) {
      throw new DifftestException("difftest: " + e.getMessage());
    }
    out.println(summary);
    if (!summary.divergences().isEmpty()) {
      throw new DifftestException(
          "difftest: " + summary.divergences().size() + " divergences; recordings are in "
              + arguments.output());
    }
  }
}
