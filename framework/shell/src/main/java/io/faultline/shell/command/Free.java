// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Text;
import java.util.HashMap;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code free(1)}. */
@Component(service = Free.class)
@GogoCommand(scope = Command.SCOPE, function = "free")
public final class Free extends Command {
  private static final String LINE = "%-7s %11d %11d %11d";

  private final Proc proc;

  /** Injected. */
  @Activate
  public Free(@Reference Proc proc) {
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print how much memory and swap is used and free, in KiB, as free(1) does
      usage: free
      used is what is not available: total less free memory and what the caches can give up.
      example: free""")
  public @Nullable Object free(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          arguments.end();
          return new Text(table(numbers(proc.meminfo())));
        });
  }

  private static String table(Map<String, Long> kib) {
    long total = kib.getOrDefault("MemTotal", 0L);
    long available = kib.getOrDefault("MemAvailable", 0L);
    long cache = kib.getOrDefault("Buffers", 0L) + kib.getOrDefault("Cached", 0L)
        + kib.getOrDefault("SReclaimable", 0L);
    long swap = kib.getOrDefault("SwapTotal", 0L);
    long swapFree = kib.getOrDefault("SwapFree", 0L);
    return "               total        used        free      shared  buff/cache   available\n"
        + (LINE + " %11d %11d %11d\n").formatted(
            "Mem:", total, total - available, kib.getOrDefault("MemFree", 0L),
            kib.getOrDefault("Shmem", 0L), cache,
            available)
        + LINE.formatted("Swap:", swap, swap - swapFree, swapFree);
  }

  private static Map<String, Long> numbers(String meminfo) {
    Map<String, Long> kib = new HashMap<>();
    for (String line : meminfo.split("\n")) {
      String[] words = line.split(":? +");
      kib.put(words[0], Long.parseLong(words[1]));
    }
    return kib;
  }
}
