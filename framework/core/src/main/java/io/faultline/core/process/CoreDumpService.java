// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.proc.elf.StreamSink;
import io.faultline.kernel.CoreDumps;
import io.faultline.kernel.CoreProgress;
import io.faultline.kernel.CoreReport;
import io.faultline.kernel.Task;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/** Core dumps as a service. Thread-safe. */
public final class CoreDumpService implements CoreDumps {
  private final CoreDumper dumper;

  public CoreDumpService(CoreDumper dumper) {
    this.dumper = dumper;
  }

  @Override
  public CoreReport dump(Task task, Path file, CoreProgress progress)
      throws IOException, ErrnoException {
    return dumper.dump(TaskTable.of(task), file, progress);
  }

  @Override
  public CoreReport dump(Task task, WritableByteChannel target, CoreProgress progress)
      throws IOException, ErrnoException {
    return dumper.dump(TaskTable.of(task), new StreamSink(target), progress);
  }

  @Override
  public int filter(Task task) {
    return known(task).coreFilter();
  }

  @Override
  public void setFilter(Task task, int mask) {
    known(task).setCoreFilter(mask);
  }

  private static TaskObject known(Task task) {
    if (task instanceof TaskObject object) {
      return object;
    }
    throw new IllegalArgumentException("task: is not of this kernel");
  }

  @Override
  public String pattern() {
    return dumper.pattern().template();
  }

  @Override
  public void setPattern(String template) {
    dumper.setPattern(new CorePattern(template));
  }
}
