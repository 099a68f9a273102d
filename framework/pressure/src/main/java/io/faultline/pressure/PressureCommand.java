// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import java.io.PrintStream;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code pressure}, for the shell and for the distribution's script: it returns normally when nothing
 * was wrong and throws otherwise, which is an exit status of 0 or 1. It outlives the kernel, which it
 * boots anew: so it has no reference to its services.
 */
@Component(service = PressureCommand.class)
@GogoCommand(scope = "faultline", function = "pressure")
public final class PressureCommand {
  private final BundleContext context;
  private final ConfigurationAdmin configurations;

  /**
   * @param context for the bundles of the swap devices
   * @param configurations for the size of the machine
   */
  @Activate
  public PressureCommand(BundleContext context, @Reference ConfigurationAdmin configurations) {
    this.context = context;
    this.configurations = configurations;
  }

  /**
   * The command.
   *
   * @throws PressureException when the arguments are wrong, or something was found
   * @throws InterruptedException when it is stopped
   */
  @Descriptor("""
      run processes whose pages are several times the memory, and check every byte they read
      usage: pressure [--minutes N | --seconds N] [--swap file|zram|redis[,...]] [--memory SIZE]
      It boots a machine of its own with SIZE of memory (64M) and installs the swap drivers. Further
      options: [--ratio R] the working set is R times the memory (3); [--processes P] (4); [--seed S];
      [--reserved PAGES] of a VM_RESERVED area whose pages must not move (256, 0 for none); [--redis
      redis://HOST:PORT], else a redis-server is started on a free port. Private pages, shared ones and
      copies on write; forks meanwhile. Fails on a wrong byte, a refused access, a reserved or locked
      page that moved, and a frame or slot that is not free in the end.
      example: pressure --minutes 10 --swap zram
      example: pressure --seconds 30 --swap file,zram --memory 32M --ratio 4""")
  public void pressure(CommandSession session, String... words)
      throws PressureException, InterruptedException {
    PressureArguments arguments = PressureArguments.parse(List.of(words));
    PrintStream out = session.getConsole();
    try (Machine machine = Machine.boot(context, configurations, arguments)) {
      List<String> wrong = new PressureRun(machine.kernel(), arguments, out).run();
      if (!wrong.isEmpty()) {
        throw new PressureException("pressure: " + wrong.getFirst());
      }
    }
  }
}
