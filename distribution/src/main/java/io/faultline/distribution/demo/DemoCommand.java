// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.demo;

import io.faultline.distribution.driver.DropIn;
import io.faultline.distribution.driver.DropInException;
import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.TraceListener;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code demo}, for the shell and for the distribution's script. */
@Component(service = DemoCommand.class)
@GogoCommand(scope = "faultline", function = "demo")
public final class DemoCommand {
  private final BundleContext context;
  private final CommandProcessor processor;
  private final DropIn dropIn;
  private final Kernel kernel;

  /** Injected. */
  @Activate
  public DemoCommand(
      BundleContext context,
      @Reference CommandProcessor processor,
      @Reference DropIn dropIn,
      @Reference Tasks tasks,
      @Reference Files files,
      @Reference VmaService memory,
      @Reference FaultDispatcher faults,
      @Reference Proc proc,
      @Reference Devices devices) {
    this.context = context;
    this.processor = processor;
    this.dropIn = dropIn;
    this.kernel = new Kernel(tasks, files, memory, faults, proc, devices);
  }

  /**
   * The command.
   *
   * @throws DemoFailedException when something is not as the demo says
   */
  @Descriptor("""
      Faultline's main job, told as it happens, each sentence checked
      usage: demo
      Needs a kernel in which scullp is not installed; leaves it as it was.
      example: demo""")
  public void demo(CommandSession session)
      throws DemoFailedException, DropInException, ErrnoException, IOException,
      InterruptedException {
    long begin = System.nanoTime();
    Narrator narrator = new Narrator(session.getConsole(), colours());
    DriverCalls driver = new DriverCalls(DriverStory.DEVICE);
    ServiceRegistration<TraceListener> listening =
        context.registerService(TraceListener.class, driver, null);
    DriverStory story = new DriverStory(kernel, dropIn, driver, narrator);
    try {
      story.tell();
    } finally {
      story.cleanUp();
      listening.unregister();
    }
    new ReplayStory(
        kernel, processor, Path.of(context.getProperty("faultline.recordings")), narrator)
        .tell();
    session
        .getConsole()
        .printf(
            "%n%d steps, %d checks, all of them true, in %.1f s.%n"
                + "Now do it yourself: faultline shell, then help.%n",
            narrator.steps(), narrator.checks(), (System.nanoTime() - begin) / 1e9);
  }

  /** In the shell and in a script alike: whether it is a person who reads this. */
  private static boolean colours() {
    return System.getenv("NO_COLOR") == null
        && System.console() != null
        && System.console().isTerminal();
  }
}
