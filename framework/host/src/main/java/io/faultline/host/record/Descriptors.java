// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.OpenFlags;
import io.faultline.host.linux.SyscallNumber;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which open file each descriptor of the recorded process is. Only descriptors that were mapped are
 * known. Two numbers are one open file when {@code kcmp(2)} says so; before a known number is closed, the
 * others that are the same open file are looked for, so that the file keeps its identity.
 */
final class Descriptors implements AutoCloseable {
  private static final int KCMP_FILE = 0;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC = 0x7ff;
  private static final int F_GETFL = 3;
  private static final int F_GET_SEALS = 1034;
  private static final int FORMAT = 0xf000;
  private static final int STRUCT = 256;
  private static final int NAME = 4096;

  /** An open file by the number the recording gives it; the identity tells that it was not missed. */
  private record Known(int file, String identity) {}

  /**
   * A descriptor as a memory call finds it.
   *
   * @param text as strace shows it, {@code </path>}
   * @param zeroDevice whether it is {@code /dev/zero}
   */
  record Found(String text, boolean zeroDevice) {
    static final Found NOTHING = new Found("", false);
  }

  private final LinuxCalls calls;
  private final int pid;
  private final int pidfd;
  private final MemorySegment buffer;
  private final Map<Integer, Known> known = new TreeMap<>();
  /** What the recording says of each number, up to now. */
  private final Map<Integer, String> notes = new HashMap<>();
  private int files;

  Descriptors(LinuxCalls calls, int pid) throws HostException {
    this.calls = calls;
    this.pid = pid;
    this.buffer = calls.allocate(STRUCT + NAME);
    this.pidfd = (int) calls.call(SyscallNumber.PIDFD_OPEN, pid, 0);
    if (pidfd < 0) {
      throw new HostException("pidfd_open: " + Errnos.describe(-pidfd), -pidfd);
    }
  }

  /**
   * Looks at a descriptor that is about to be mapped.
   *
   * @param lines gets an {@code @fd} note when there is something new to say
   */
  Found look(int fd, List<String> lines) throws HostException {
    // A copy of our own: nothing has to be done in the program to ask about the file.
    int copy = (int) calls.call(SyscallNumber.PIDFD_GETFD, pidfd, fd, 0);
    if (copy < 0) {
      known.remove(fd);
      return Found.NOTHING;
    }
    try {
      return look(fd, copy, lines);
    } finally {
      calls.call(SyscallNumber.CLOSE, copy);
    }
  }

  /** A call that closes or replaces descriptors is about to be made. */
  void closing(Entered call) {
    switch (call.number()) {
      case SyscallNumber.CLOSE -> closing(call.intArg(0));
      case SyscallNumber.DUP2, SyscallNumber.DUP3 -> {
        if (call.intArg(0) != call.intArg(1)) {
          closing(call.intArg(1));
        }
      }
      case SyscallNumber.CLOSE_RANGE -> {
        for (int fd : List.copyOf(known.keySet())) {
          if (Integer.compareUnsigned(fd, call.intArg(0)) >= 0
              && Integer.compareUnsigned(fd, call.intArg(1)) <= 0) {
            closing(fd);
          }
        }
      }
      default -> throw new IllegalArgumentException("call: " + call.number());
    }
  }

  @Override
  public void close() {
    calls.call(SyscallNumber.CLOSE, pidfd);
  }

  private void closing(int fd) {
    Known file = known.remove(fd);
    if (file == null) {
      return;
    }
    try (DirectoryStream<Path> open =
        Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      for (Path entry : open) {
        int other = Integer.parseInt(entry.getFileName().toString());
        if (other != fd && !known.containsKey(other) && same(fd, other)) {
          known.put(other, file);
        }
      }
    } catch (IOException e) {
      // The process is ending, then.
    }
  }

  private Found look(int fd, int copy, List<String> lines) throws HostException {
    MemorySegment name = buffer.asSlice(STRUCT, NAME);
    MemorySegment statx = buffer.asSlice(0, STRUCT);
    name.set(ValueLayout.JAVA_BYTE, 0, (byte) 0);
    check("statx", calls.call(SyscallNumber.STATX, copy, name.address(), AT_EMPTY_PATH,
        STATX_BASIC, statx.address(), 0));
    // struct statx
    int mode = statx.get(ValueLayout.JAVA_SHORT, 28) & 0xffff;
    long inode = statx.get(ValueLayout.JAVA_LONG, 32);
    long size = statx.get(ValueLayout.JAVA_LONG, 40);
    int rdevMajor = statx.get(ValueLayout.JAVA_INT, 128);
    int rdevMinor = statx.get(ValueLayout.JAVA_INT, 132);
    String device = "%02x:%02x".formatted(
        statx.get(ValueLayout.JAVA_INT, 136), statx.get(ValueLayout.JAVA_INT, 140));
    check("fstatfs", calls.call(SyscallNumber.FSTATFS, copy, statx.address()));
    String fileSystem = FileSystems.name(statx.get(ValueLayout.JAVA_LONG, 0));
    boolean noExec = FileSystems.noExec(fileSystem, statx.get(ValueLayout.JAVA_LONG, 80));
    int flags = (int) calls.call(SyscallNumber.FCNTL, copy, F_GETFL, 0);
    long seals = Math.max(0, calls.call(SyscallNumber.FCNTL, copy, F_GET_SEALS, 0));
    String path = path(copy);
    String kind = kind(mode);

    String identity = device + " " + inode + " " + flags;
    Known file = known.get(fd);
    if (file == null || !file.identity.equals(identity)) {
      file = new Known(identify(fd), identity);
      known.put(fd, file);
    }
    StringBuilder note = new StringBuilder("@fd %d file=%d kind=%s acc=%s append=%d".formatted(fd,
        file.file, kind, access(flags), (flags & OpenFlags.APPEND) != 0 ? 1 : 0));
    note.append(" fs=%s noexec=%d dev=%s ino=%d size=%d seals=%s".formatted(fileSystem,
        noExec ? 1 : 0, device, inode, size, CallText.hex(seals)));
    if (kind.equals("chr")) {
      note.append(" rdev=%x:%x".formatted(rdevMajor, rdevMinor));
    }
    note.append(" path=").append(path);
    String text = note.toString();
    if (!text.equals(notes.put(fd, text))) {
      lines.add(text);
    }
    boolean zero = kind.equals("chr") && rdevMajor == 1 && rdevMinor == 5;
    return new Found(shown(path), zero);
  }

  /** The number of the open file behind a descriptor, which may be known under another one. */
  private int identify(int fd) {
    for (Map.Entry<Integer, Known> entry : known.entrySet()) {
      if (entry.getKey() != fd && same(fd, entry.getKey())) {
        return entry.getValue().file;
      }
    }
    return ++files;
  }

  private boolean same(int one, int other) {
    return calls.call(SyscallNumber.KCMP, pid, pid, KCMP_FILE, one, other, 0) == 0;
  }

  private String path(int copy) throws HostException {
    MemorySegment name = buffer.asSlice(0, STRUCT);
    name.setString(0, "/proc/self/fd/" + copy);
    MemorySegment text = buffer.asSlice(STRUCT, NAME);
    long length = calls.call(
        SyscallNumber.READLINKAT, -1, name.address(), text.address(), NAME);
    check("readlink", length);
    // As maps shows it: a line feed would end the line.
    return new String(text.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE),
        StandardCharsets.ISO_8859_1).replace("\n", "\\012");
  }

  private static String shown(String path) {
    String deleted = " (deleted)";
    return path.endsWith(deleted)
        ? "<" + path.substring(0, path.length() - deleted.length()) + ">(deleted)"
        : "<" + path + ">";
  }

  private static String kind(int mode) {
    return switch (mode & FORMAT) {
      case 0x1000 -> "fifo";
      case 0x2000 -> "chr";
      case 0x4000 -> "dir";
      case 0x8000, 0x6000 -> "reg";
      case 0xc000 -> "sock";
      default -> "anon";
    };
  }

  private static String access(int flags) {
    if ((flags & OpenFlags.PATH) != 0) {
      return "path";
    }
    return switch (flags & OpenFlags.ACCMODE) {
      case OpenFlags.RDONLY -> "ro";
      case OpenFlags.WRONLY -> "wo";
      default -> "rw";
    };
  }

  private static void check(String what, long result) throws HostException {
    if (result < 0) {
      throw new HostException(
          what + " of a descriptor: " + Errnos.describe((int) -result), (int) -result);
    }
  }
}
