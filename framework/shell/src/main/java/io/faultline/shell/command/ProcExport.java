// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes {@code /proc} into a folder, laid out as there: {@code meminfo}, …, {@code PID/smaps}, ….
 * Each file is written under another name first, and takes its own when all are whole.
 */
final class ProcExport {
  private static final int CHUNK_PAGES = 8192;

  private final Proc proc;

  ProcExport(Proc proc) {
    this.proc = proc;
  }

  /**
   * @param folder is made if it is not there; files of the same names are replaced
   * @return how many files it wrote
   * @throws IOException when one cannot be written; none of this call's is there then, unless it was
   *     the renaming that failed
   */
  int write(Task task, Path folder) throws IOException, ErrnoException {
    Path own = folder.resolve(Integer.toString(task.pid()));
    Files.createDirectories(own);
    Map<Path, Path> written = new LinkedHashMap<>();
    try {
      for (String name : proc.entries()) {
        Files.write(begin(written, folder.resolve(name)), proc.read(name));
      }
      for (String name : proc.entries(task)) {
        Files.write(begin(written, own.resolve(name)), proc.read(task, name));
      }
      pagemap(task, begin(written, own.resolve("pagemap")));
      if (!task.alive()) {
        throw new IOException("process " + task.pid() + " has ended meanwhile");
      }
      for (Map.Entry<Path, Path> file : written.entrySet()) {
        Files.move(file.getKey(), file.getValue(), StandardCopyOption.REPLACE_EXISTING,
            StandardCopyOption.ATOMIC_MOVE);
      }
      return written.size();
    } finally {
      for (Path temporary : written.keySet()) {
        Files.deleteIfExists(temporary);
      }
    }
  }

  /** The name under which a file is written. */
  private static Path begin(Map<Path, Path> written, Path file) {
    Path temporary = file.resolveSibling("." + file.getFileName() + ".part");
    written.put(temporary, file);
    return temporary;
  }

  /** Only words that are not 0 are written: the rest is a hole of the file, up to the last area. */
  private void pagemap(Task task, Path file) throws IOException {
    Files.deleteIfExists(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW,
        StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
      long last = 0;
      for (String line : proc.maps(task).split("\n")) {
        int dash = line.indexOf('-');
        long start = Long.parseUnsignedLong(line, 0, dash, 16);
        long end = Long.parseUnsignedLong(line, dash + 1, line.indexOf(' '), 16);
        // The vsyscall page lies outside of user space.
        while (start >= 0 && start < end) {
          int pages = (int) Math.min(CHUNK_PAGES, end - start >>> Mman.PAGE_SHIFT);
          write(channel, start >>> Mman.PAGE_SHIFT, proc.pagemap(task, start, pages));
          start += (long) pages << Mman.PAGE_SHIFT;
          last = start;
        }
      }
      long length = (last >>> Mman.PAGE_SHIFT) * Long.BYTES;
      if (channel.size() < length) {
        int unused = channel.write(ByteBuffer.allocate(1), length - 1);
      }
    }
  }

  private static void write(FileChannel channel, long firstPage, long[] words)
      throws IOException {
    int i = 0;
    while (i < words.length) {
      int from = i;
      while (i < words.length && words[i] != 0) {
        i++;
      }
      if (i > from) {
        ByteBuffer bytes =
            ByteBuffer.allocate((i - from) * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int k = from; k < i; k++) {
          bytes.putLong(words[k]);
        }
        bytes.flip();
        long position = (firstPage + from) * Long.BYTES;
        while (bytes.hasRemaining()) {
          position += channel.write(bytes, position);
        }
      }
      i++;
    }
  }
}
