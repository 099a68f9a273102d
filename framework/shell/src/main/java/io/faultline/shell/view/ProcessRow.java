// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import io.faultline.kernel.FaultCounts;
import io.faultline.kernel.Task;
import io.faultline.mm.Vma;
import io.faultline.shell.word.Size;
import java.util.List;

/**
 * A process. As a word it is its number.
 *
 * @param pid its number
 * @param parent its parent's number
 * @param name the command's name
 * @param areas how many areas it has
 * @param size bytes in its areas
 * @param files how many open files
 * @param faults how many page faults it has had
 */
public record ProcessRow(
    int pid, int parent, String name, int areas, long size, int files, long faults)
    implements View {
  private static final Table.Layout<ProcessRow> LAYOUT =
      Table.Layout.<ProcessRow>withEmpty("no processes; spawn starts one: spawn demo")
          .number("PID", row -> Integer.toString(row.pid))
          .number("PPID", row -> Integer.toString(row.parent))
          .number("AREAS", row -> Integer.toString(row.areas))
          .number("SIZE", row -> Size.format(row.size))
          .number("FILES", row -> Integer.toString(row.files))
          .number("FAULTS", row -> Long.toString(row.faults))
          .text("NAME", ProcessRow::name);

  /** A table of processes. */
  public static Table<ProcessRow> table(List<ProcessRow> rows) {
    return LAYOUT.of(rows);
  }

  /** The row of a process. */
  public static ProcessRow of(Task task, List<Vma> vmas, FaultCounts counts) {
    return new ProcessRow(
        task.pid(),
        task.parentPid(),
        task.name(),
        vmas.size(),
        vmas.stream().mapToLong(Vma::length).sum(),
        task.files().size(),
        counts.minor() + counts.major() + counts.maperr() + counts.accerr() + counts.sigbus());
  }

  @Override
  public String text() {
    return "process " + pid + " (" + name + ")";
  }

  @Override
  public String toString() {
    return Integer.toString(pid);
  }
}
