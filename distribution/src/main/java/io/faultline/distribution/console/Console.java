// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.io.IOException;
import java.util.List;
import java.util.function.ToIntFunction;
import org.apache.felix.service.command.CommandProcessor;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Acts on the words of the command line: none opens the shell (on a terminal) or runs the lines of
 * standard input; {@code -c LINE} runs a line of Gogo; anything else is one command with its
 * arguments. Answers the exit status.
 */
@Component(service = ToIntFunction.class, property = "faultline.console=true")
public final class Console implements ToIntFunction<List<String>> {
  private final BundleContext context;
  private final CommandProcessor processor;

  /**
   * @param context this bundle's
   * @param processor runs command lines
   */
  @Activate
  public Console(BundleContext context, @Reference CommandProcessor processor) {
    this.context = context;
    this.processor = processor;
  }

  @Override
  public int applyAsInt(List<String> words) {
    try {
      Batch batch = new Batch(processor);
      if (words.isEmpty()) {
        return System.console() != null && System.console().isTerminal()
            ? new Interactive(context, processor).run()
            : batch.lines();
      }
      if (words.getFirst().equals("-c")) {
        return batch.line(String.join(" ", words.subList(1, words.size())));
      }
      return batch.command(words);
    } catch (IOException e) {
      System.err.println("faultline: " + e.getMessage());
      return Batch.FAILED;
    }
  }
}
