// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.OpenFlags;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.RemoteSyscalls;
import io.faultline.replay.recording.Note;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The descriptors that every tested process has: files of a disk and of memory, read-only and
 * write-only, sealed ones, a device, a pipe, a directory, a duplicate, a mere path.
 */
final class HostFiles {
  /** {@code /dev/zero}: a shared mapping of it is a new object each time. */
  static final int DEV_ZERO = 8;

  /** The descriptors, for the generator to choose from; 99 is none. */
  static final int[] DESCRIPTORS = {3, 3, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 10, 11, 12, 14, 15, 16, 99};

  /** The name of the program in the folder. */
  static final String PROGRAM = "target";

  private static final int BIG = 8 << 20;
  private static final int SMALL = 41083;
  private static final int MEMORY = 4 << 20;
  private static final int SEALED = 65536;
  private static final int MFD_ALLOW_SEALING = 2;
  private static final int F_ADD_SEALS = 1033;
  private static final int F_SEAL_WRITE = 8;
  private static final int F_SEAL_FUTURE_WRITE = 0x10;
  private static final int PIPEFS = 0x50495045;
  private static final int STATFS_FLAGS = 80;
  private static final int ST_NOEXEC = 8;
  private static final int S_IFMT = 0xf000;

  private final Path directory;
  private final List<Note.FileDescriptor> notes = new ArrayList<>();
  private long scratch;

  private HostFiles(Path directory) {
    this.directory = directory;
  }

  /** Makes the files of the disk. */
  static HostFiles in(Path directory) throws IOException {
    sized(directory.resolve("big.dat"), BIG);
    sized(directory.resolve("small.dat"), SMALL);
    return new HostFiles(directory);
  }

  private static void sized(Path file, long size) throws IOException {
    try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
      made.setLength(size);
    }
  }

  /** What a process opened last has; the order is that of the descriptors. */
  List<Note.FileDescriptor> notes() {
    return List.copyOf(notes);
  }

  /** Opens them all in a process that has 0, 1 and 2 open. */
  void openIn(RemoteSyscalls calls) throws HostException {
    notes.clear();
    scratch = check("mmap", calls.call(SyscallNumber.MMAP, 0, 8192, 3, 0x22, -1, 0));
    String big = directory.resolve("big.dat").toString();
    String small = directory.resolve("small.dat").toString();
    open(calls, 3, big, OpenFlags.RDWR, AccessMode.READ_WRITE);
    open(calls, 4, big, OpenFlags.RDONLY, AccessMode.READ_ONLY);
    open(calls, 5, big, OpenFlags.WRONLY, AccessMode.WRITE_ONLY);
    open(calls, 6, small, OpenFlags.RDWR, AccessMode.READ_WRITE);
    memory(calls, 7, "fz", MEMORY, 0);
    open(calls, DEV_ZERO, "/dev/zero", OpenFlags.RDWR, AccessMode.READ_WRITE);
    check("pipe2", calls.call(SyscallNumber.PIPE2, scratch, 0));
    calls.call(SyscallNumber.DUP2, 9, 9);
    calls.call(SyscallNumber.CLOSE, 10);
    note(calls, 9, 9, AccessMode.READ_ONLY, 0);
    open(calls, 10, directory.toString(), OpenFlags.RDONLY, AccessMode.READ_ONLY);
    memory(calls, 11, "sealed", SEALED, F_SEAL_WRITE);
    memory(calls, 12, "future", SEALED, F_SEAL_FUTURE_WRITE);
    open(calls, 14, "/dev/null", OpenFlags.RDWR, AccessMode.READ_WRITE);
    check("dup2", calls.call(SyscallNumber.DUP2, 3, 15));
    note(calls, 15, 3, AccessMode.READ_WRITE, 0);
    open(calls, 16, big, OpenFlags.PATH, AccessMode.PATH);
    // Where it would dump its core.
    calls.memory().write(scratch, string(directory.toString()));
    check("chdir", calls.call(SyscallNumber.CHDIR, scratch));
    // That the size of the program's own file is known: its data may grow beyond the end.
    open(calls, 17, directory.resolve(PROGRAM).toString(), OpenFlags.RDONLY, AccessMode.READ_ONLY);
  }

  private void open(RemoteSyscalls calls, int fd, String path, int flags, AccessMode mode)
      throws HostException {
    calls.memory().write(scratch, string(path));
    move(calls, check(path, calls.call(SyscallNumber.OPEN, scratch, flags)), fd);
    note(calls, fd, fd, mode, 0);
  }

  private void memory(RemoteSyscalls calls, int fd, String name, int size, int seals)
      throws HostException {
    calls.memory().write(scratch, string(name));
    move(calls,
        check(name, calls.call(SyscallNumber.MEMFD_CREATE, scratch, MFD_ALLOW_SEALING)), fd);
    check("ftruncate", calls.call(SyscallNumber.FTRUNCATE, fd, size));
    if (seals != 0) {
      check("F_ADD_SEALS", calls.call(SyscallNumber.FCNTL, fd, F_ADD_SEALS, seals));
    }
    note(calls, fd, fd, AccessMode.READ_WRITE, seals);
  }

  private static void move(RemoteSyscalls calls, long from, int to) throws HostException {
    if (from != to) {
      check("dup2", calls.call(SyscallNumber.DUP2, from, to));
      calls.call(SyscallNumber.CLOSE, from);
    }
  }

  private void note(RemoteSyscalls calls, int fd, int file, AccessMode mode, int seals)
      throws HostException {
    check("fstat", calls.call(SyscallNumber.FSTAT, fd, scratch));
    ByteBuffer stat =
        ByteBuffer.wrap(calls.memory().read(scratch, 144)).order(ByteOrder.LITTLE_ENDIAN);
    check("fstatfs", calls.call(SyscallNumber.FSTATFS, fd, scratch));
    long type = calls.memory().readLong(scratch);
    boolean noExec = (calls.memory().readLong(scratch + STATFS_FLAGS) & ST_NOEXEC) != 0
        || type == PIPEFS;
    FileKind kind = switch (stat.getInt(24) & S_IFMT) {
      case 0x4000 -> FileKind.DIRECTORY;
      case 0x2000 -> FileKind.CHARACTER_DEVICE;
      case 0x1000 -> FileKind.FIFO;
      default -> FileKind.REGULAR;
    };
    String path;
    try {
      path = Files.readSymbolicLink(Path.of("/proc/" + calls.pid() + "/fd/" + fd)).toString();
    } catch (IOException e) {
      throw new HostException("/proc/" + calls.pid() + "/fd/" + fd + ": " + e);
    }
    notes.add(new Note.FileDescriptor(0, fd, file, kind, mode, false, fileSystem(type), noExec,
        new Note.FileName(device(stat.getLong(0)), stat.getLong(8), path), stat.getLong(48), seals,
        kind == FileKind.CHARACTER_DEVICE ? device(stat.getLong(40)) : DeviceNumber.NONE));
  }

  private static DeviceNumber device(long number) {
    return new DeviceNumber((int) (number >>> 8 & 0xfff),
        (int) (number & 0xff | number >>> 12 & 0xfff00));
  }

  /** By {@code f_type}; what is not known here has no rules of its own. */
  private static String fileSystem(long type) {
    return switch ((int) type) {
      case 0xEF53 -> "ext4";
      case 0x58465342 -> "xfs";
      case 0x9123683E -> "btrfs";
      case 0x01021994 -> "tmpfs";
      case 0x794c7630 -> "overlay";
      case PIPEFS -> "pipefs";
      default -> "0x" + Integer.toHexString((int) type);
    };
  }

  private static byte[] string(String text) {
    return (text + '\0').getBytes(StandardCharsets.UTF_8);
  }

  private static long check(String what, long result) throws HostException {
    if (result < 0) {
      throw new HostException(what + ": " + Errnos.describe((int) -result), (int) -result);
    }
    return result;
  }
}
