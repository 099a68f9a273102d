// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Core dumps: a process's memory as an ELF file that {@code gdb} and {@code readelf} open ({@code
 * core(5)}, {@code elf_core_dump}). Thread-safe.
 *
 * <p>A core begins with notes (registers, command, auxiliary vector, mapped files, the signal where
 * there is one); then comes a {@code PT_LOAD} for each area, in the order of addresses, with the
 * contents that {@link CoreFilter} chooses. Registers are zeros, since nothing is executed here;
 * {@code docs/core-dumps.md} says where each field comes from.
 *
 * <p>The areas are those of one moment. Contents are read page by page, a stretch at a time with the
 * process's {@code mmap_lock} held for reading, while it may run on: stop what uses it first if the
 * pages must be of one moment too. Pages that were never touched are not brought in: they are holes
 * and read as zeros; pages of mapped files that are dumped are read through the fault path. Memory
 * needed is some hundred bytes an area and one buffer.
 */
@ProviderType
public interface CoreDumps {
  /**
   * Writes the core of a running process. The file appears when it is whole, with the rights {@code
   * rw-------}, in place of one that was there; when anything goes wrong nothing is left of it. Pages
   * of zeros are holes in the file.
   *
   * @param file a name in an existing folder
   * @throws IOException when the file cannot be written: a full disk, no such folder
   * @throws ErrnoException ESRCH when the process is gone or ends meanwhile, EDEADLK in a driver's
   *     callback for this process
   */
  CoreReport dump(Task task, Path file, CoreProgress progress) throws IOException, ErrnoException;

  /**
   * Writes the core of a running process as a stream; holes are written as zeros.
   *
   * @param target is not closed
   * @throws IOException as the channel throws it
   * @throws ErrnoException as for a file
   */
  CoreReport dump(Task task, WritableByteChannel target, CoreProgress progress)
      throws IOException, ErrnoException;

  /** The mask of {@code /proc/PID/coredump_filter}: bits of {@link CoreFilter}. */
  int filter(Task task);

  /**
   * Sets the mask; children of the process inherit it. Bits that {@link CoreFilter} does not have are
   * ignored, as the kernel does.
   */
  void setFilter(Task task, int mask);

  /** The template by which dying processes dump; empty when they do not. */
  String pattern();

  /**
   * Sets the template by which a process that dies of SIGSEGV or SIGBUS dumps its core, as {@code
   * /proc/sys/kernel/core_pattern} does. Of Linux's specifiers {@code %p %P %i %I} (process number),
   * {@code %e} (command name), {@code %s} (signal number), {@code %t} (seconds since 1970), {@code %u}
   * (user), {@code %h} (host name) and {@code %%} are known; others vanish.
   *
   * <p>With a template set, an access through {@link UserMemory} that is refused ends its process if
   * that does not handle the signal ({@link Task#setHandledSignals}), as Linux does; with none, the
   * process stays for a look at it, and only {@link Tasks#kill} ends it.
   *
   * @param template a path, relative to the working directory of the JVM; empty for no dumps
   * @throws IllegalArgumentException for a pipe ({@code |program}) or a socket ({@code @path})
   */
  void setPattern(String template);
}
