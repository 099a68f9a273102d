// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.mm.ErrnoException;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The files of {@code /proc/PID} and those of {@code /proc} that are about memory, byte for byte as the
 * kernel prints them. Texts are one character a byte (ISO 8859-1), which matters to file names.
 * Everything is a snapshot; while a process runs, the lines of one area are of one moment, those of
 * different areas are not. {@link #entries(Task)} and {@link #read(Task, String)} reach the same files
 * by name. Thread-safe.
 *
 * <p>A file about a process takes that process's lock for reading: in a driver's callback that holds it
 * for writing, the process looks as if it had no areas.
 */
@ProviderType
public interface Proc {
  /** {@code /proc/PID/maps}, with the {@code [vsyscall]} line. */
  String maps(Task task);

  /**
   * One line an area: {@code START-END flag flag …}, the flags of smaps' {@code VmFlags}, with the
   * vsyscall page.
   */
  String vmFlags(Task task);

  /**
   * {@code /proc/PID/smaps}: for each area its line of maps and what its pages come to, in kB
   * ({@code show_smap}). A page that several map counts in Pss by its share, rounded down at
   * 2<sup>-12</sup> bytes.
   */
  String smaps(Task task);

  /** {@code /proc/PID/smaps_rollup}: the sums over all areas. */
  String smapsRollup(Task task);

  /** {@code /proc/PID/status}: the lines that have a meaning here, in Linux's order. */
  String status(Task task);

  /** {@code /proc/PID/statm}: size, resident, shared, text, 0, data, 0, in pages. */
  String statm(Task task);

  /** {@code /proc/PID/limits}: the limits that memory calls look at. */
  String limits(Task task);

  /** {@code /proc/PID/comm}: the command's name, 15 characters at most. */
  String comm(Task task);

  /**
   * Words of {@code /proc/PID/pagemap}, one a page and 0 for none: bits 0 to 54 the frame number, or
   * the swap device (5 bits) and the place there; 55 written since {@link #clearRefs}; 56 mapped
   * nowhere else; 58 a guard; 61 of a file or shared; 62 in swap; 63 present.
   *
   * @param start first address, a multiple of 4096
   * @param pages how many words; the file is 256 GiB long, so ask for some thousands at a time
   * @throws IllegalArgumentException when start is not aligned or not in user space, or pages is
   *     negative
   */
  long[] pagemap(Task task, long start, int pages);

  /**
   * Writes a number to {@code /proc/PID/clear_refs}.
   *
   * @param what 1: all pages count as not used; 2: those of areas without a file; 3: those of areas
   *     with one; 4: all pages count as not written (the soft-dirty bits); 5: the high-water mark of
   *     resident memory begins anew
   * @throws ErrnoException EINVAL for another number; EDEADLK in a driver's callback; ESRCH when the
   *     process is gone
   */
  void clearRefs(Task task, int what) throws ErrnoException;

  /** {@code /proc/meminfo}. */
  String meminfo();

  /** {@code /proc/vmstat}: a name and a number a line. */
  String vmstat();

  /** {@code /proc/zoneinfo}, for the one zone that there is. */
  String zoneinfo();

  /** {@code /proc/iomem}: what physical addresses stand for; devices' registers lie behind memory. */
  String iomem();

  /** {@code /proc/swaps}. */
  String swaps();

  /** The names of the files of {@code /proc/PID} that {@link #read(Task, String)} reads, sorted. */
  List<String> entries(Task task);

  /**
   * A whole file of {@code /proc/PID}. Pagemap is not among them: it is read in parts.
   *
   * @throws ErrnoException ENOENT when there is no such file
   */
  byte[] read(Task task, String name) throws ErrnoException;

  /** The names of the files of {@code /proc} that {@link #read(String)} reads, sorted. */
  List<String> entries();

  /**
   * A whole file of {@code /proc}.
   *
   * @throws ErrnoException ENOENT when there is no such file
   */
  byte[] read(String name) throws ErrnoException;
}
