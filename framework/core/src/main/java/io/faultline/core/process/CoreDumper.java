// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.proc.elf.CoreFile;
import io.faultline.core.proc.elf.CoreProcess;
import io.faultline.core.proc.elf.CoreSink;
import io.faultline.core.proc.elf.CoreWriter;
import io.faultline.core.proc.elf.DeathSignal;
import io.faultline.kernel.CoreProgress;
import io.faultline.kernel.CoreReport;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Dumps the cores of processes: when asked to, and when they die where that is set. Thread-safe. */
public final class CoreDumper {
  private final Consumer<String> log;
  private volatile CorePattern pattern = CorePattern.NONE;

  /**
   * @param log hears of each core that a dying process dumped, or could not dump
   */
  public CoreDumper(Consumer<String> log) {
    this.log = log;
  }

  CorePattern pattern() {
    return pattern;
  }

  void setPattern(CorePattern next) {
    pattern = next;
  }

  /** Whether dying processes dump. */
  boolean enabled() {
    return pattern.enabled();
  }

  CoreReport dump(TaskObject task, Path file, CoreProgress progress)
      throws IOException, ErrnoException {
    return dump(task, file, null, progress);
  }

  CoreReport dump(TaskObject task, CoreSink sink, CoreProgress progress)
      throws IOException, ErrnoException {
    return dump(task, sink, null, progress);
  }

  /**
   * Dumps the core of a process that ends, if that is set. What goes wrong is logged and keeps nobody
   * from ending.
   *
   * @return whether there is a core
   */
  boolean dumpDying(TaskObject task, DeathSignal signal) {
    CorePattern now = pattern;
    if (!now.enabled()) {
      return false;
    }
    String who = task.name() + "[" + task.pid() + "]: " + (signal.info() == null
        ? signal.signal()
        : signal.info());
    try {
      Path file = now.file(task, signal).toAbsolutePath();
      CoreReport report = dump(task, file, signal, CoreProgress.NONE);
      log.accept(who + ": core dumped to " + file + " (" + report.bytes() + " bytes)");
      return true;
    } catch (IOException | ErrnoException | InvalidPathException e) {
      log.accept(who + ": no core: " + e);
      return false;
    }
  }

  private static CoreReport dump(
      TaskObject task, Path file, @Nullable DeathSignal signal, CoreProgress progress)
      throws IOException, ErrnoException {
    try (CoreFile target = new CoreFile(file)) {
      return dump(task, target, signal, progress);
    }
  }

  private static CoreReport dump(
      TaskObject task, CoreSink sink, @Nullable DeathSignal signal, CoreProgress progress)
      throws IOException, ErrnoException {
    CoreProcess process =
        new CoreProcess(
            task.pid(), task.parentPid(), task.name(), task.commandLine().arguments(),
            task.commandLine().auxiliary(), task.space(), task.coreFilter(), signal);
    return new CoreWriter(process, sink, progress).write();
  }
}
