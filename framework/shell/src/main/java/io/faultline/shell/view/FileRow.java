// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import io.faultline.device.AccessMode;
import io.faultline.device.OpenFile;
import java.util.List;

/**
 * An open file of a process. As a word it is its descriptor.
 *
 * @param fd the descriptor
 * @param path the file's name
 * @param mode {@code r-}, {@code -w}, {@code rw}
 * @param position where the next read or write begins, in bytes
 */
public record FileRow(int fd, String path, String mode, long position) implements View {
  private static final Table.Layout<FileRow> LAYOUT =
      Table.Layout.<FileRow>withEmpty("no open files; open makes one: open 1 /dev/scullp0")
          .number("FD", FileRow::toString)
          .text("MODE", FileRow::mode)
          .number("POSITION", row -> Long.toString(row.position))
          .text("PATH", FileRow::path);

  /** A table of open files. */
  public static Table<FileRow> table(List<FileRow> rows) {
    return LAYOUT.of(rows);
  }

  /** The row of an open file. */
  public static FileRow of(int fd, OpenFile file) {
    return new FileRow(fd, file.inode().path(), letters(file.mode()), file.position());
  }

  private static String letters(AccessMode mode) {
    return (mode.canRead() ? "r" : "-") + (mode.canWrite() ? "w" : "-");
  }

  @Override
  public String text() {
    return "fd " + fd + ": " + path + " (" + mode + ")";
  }

  @Override
  public String toString() {
    return Integer.toString(fd);
  }
}
