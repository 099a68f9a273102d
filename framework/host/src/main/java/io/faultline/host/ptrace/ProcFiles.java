// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.OpenFlags;
import io.faultline.host.linux.SyscallNumber;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * {@code /proc/PID} of a traced process. Texts are bytes, one character each (file names have no
 * encoding). The files that are read often stay open; they show one address space, so {@link #reopen()}
 * after an {@code execve}. Confined to the tracer's thread.
 */
public final class ProcFiles implements AutoCloseable {
  private static final int AT_FDCWD = -100;
  private static final int BUFFER = Tracer.BUFFER;

  private final LinuxCalls calls;
  private final int pid;
  private final MemorySegment buffer;
  private int maps = -1;
  private int pagemap = -1;

  ProcFiles(LinuxCalls calls, int pid, MemorySegment buffer) {
    this.calls = calls;
    this.pid = pid;
    this.buffer = buffer;
  }

  /** {@code /proc/PID/maps}. */
  public String maps() throws HostException {
    return new String(mapsBytes(), StandardCharsets.ISO_8859_1);
  }

  /** {@code /proc/PID/maps}, as bytes. */
  public byte[] mapsBytes() throws HostException {
    if (maps < 0) {
      maps = open("maps");
    }
    return readAll("maps", maps);
  }

  /** {@code /proc/PID/smaps}. */
  public String smaps() throws HostException {
    return read("smaps");
  }

  /** {@code /proc/PID/status}. */
  public String status() throws HostException {
    return read("status");
  }

  /**
   * Any other text.
   *
   * @param name below {@code /proc/PID}, such as {@code stat} or {@code fdinfo/3}
   */
  public String read(String name) throws HostException {
    int fd = open(name);
    try {
      return new String(readAll(name, fd), StandardCharsets.ISO_8859_1);
    } finally {
      calls.call(SyscallNumber.CLOSE, fd);
    }
  }

  /**
   * Where a link points.
   *
   * @param name below {@code /proc/PID}, such as {@code fd/3} or {@code exe}
   */
  public String link(String name) throws HostException {
    MemorySegment path = buffer.asSlice(BUFFER / 2);
    path.setString(0, "/proc/" + pid + "/" + name);
    long length = check("readlink of /proc/" + pid + "/" + name,
        calls.call(SyscallNumber.READLINKAT, AT_FDCWD, path.address(), buffer.address(),
            BUFFER / 2));
    return text((int) length);
  }

  /**
   * The lowest page in a range that is in a state, found by {@code PAGEMAP_SCAN} (Linux 6.7 or later).
   *
   * @param start first byte, a page's first
   * @param end behind the last byte, a page's first
   * @param clear {@link PageState} bits that must be clear
   * @param set bits that must be set
   * @param anyOf of these at least one must be set; 0 for no such demand
   * @return the page's address, or -1
   */
  public long lowestPage(long start, long end, int clear, int set, int anyOf)
      throws HostException {
    if (pagemap < 0) {
      pagemap = open("pagemap");
    }
    // struct pm_scan_arg and one struct page_region
    MemorySegment scan = buffer.asSlice(0, PageState.SCAN_BYTES);
    MemorySegment region = buffer.asSlice(PageState.SCAN_BYTES, PageState.REGION_BYTES);
    scan.fill((byte) 0);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 0, PageState.SCAN_BYTES);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 2, start);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 3, end);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 5, region.address());
    scan.setAtIndex(ValueLayout.JAVA_LONG, 6, 1);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 7, 1);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 8, clear);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 9, clear | set);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 10, anyOf);
    scan.setAtIndex(ValueLayout.JAVA_LONG, 11, anyOf | clear | set);
    long found = calls.call(SyscallNumber.IOCTL, pagemap, PageState.SCAN, scan.address());
    if (found < 0) {
      throw new HostException(
          "PAGEMAP_SCAN of 0x%x-0x%x: %s%s".formatted(start, end, Errnos.describe((int) -found),
              found == -25 ? "; it takes Linux 6.7 or later" : ""),
          (int) -found);
    }
    return found == 0 ? -1 : region.get(ValueLayout.JAVA_LONG, 0);
  }

  /**
   * Words of {@code /proc/PID/pagemap}, one a page.
   *
   * @param address first page
   * @param pages how many, 4096 at most
   */
  public long[] pagemap(long address, int pages) throws HostException {
    if (pagemap < 0) {
      pagemap = open("pagemap");
    }
    int bytes = Math.min(pages * Long.BYTES, BUFFER / 2);
    long read = check("pagemap of process " + pid,
        calls.call(SyscallNumber.PREAD64, pagemap, buffer.address(), bytes,
            (address >>> 12) * Long.BYTES));
    return buffer.asSlice(0, read).toArray(ValueLayout.JAVA_LONG);
  }

  /** Forgets the address space that the open files show. */
  public void reopen() {
    close();
  }

  /** Closes the files. */
  @Override
  public void close() {
    maps = closed(maps);
    pagemap = closed(pagemap);
  }

  private int closed(int fd) {
    if (fd >= 0) {
      calls.call(SyscallNumber.CLOSE, fd);
    }
    return -1;
  }

  private int open(String name) throws HostException {
    String file = "/proc/" + pid + "/" + name;
    buffer.setString(0, file);
    return (int) check(file, calls.call(SyscallNumber.OPENAT, AT_FDCWD, buffer.address(),
        OpenFlags.RDONLY | OpenFlags.CLOEXEC, 0));
  }

  private byte[] readAll(String name, int fd) throws HostException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(BUFFER / 16);
    while (true) {
      // The kernel hands out a page or so at a time, whole lines of it.
      int filled = 0;
      long read = 0;
      while (filled < BUFFER / 2) {
        read = check("/proc/" + pid + "/" + name,
            calls.call(SyscallNumber.PREAD64, fd, buffer.address() + filled, BUFFER - filled,
                bytes.size() + filled));
        if (read == 0) {
          break;
        }
        filled += (int) read;
      }
      byte[] part = buffer.asSlice(0, filled).toArray(ValueLayout.JAVA_BYTE);
      if (read == 0 && bytes.size() == 0) {
        return part;
      }
      bytes.writeBytes(part);
      if (read == 0) {
        return bytes.toByteArray();
      }
    }
  }

  private String text(int length) {
    return new String(
        buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
  }

  private static long check(String what, long result) throws HostException {
    if (result < 0) {
      throw new HostException(
          what + ": " + Errnos.describe((int) -result), (int) -result);
    }
    return result;
  }
}
