// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;

/** Reads a note of {@code calls.strace}, behind its {@code @}. */
final class NoteReader {
  private final LineScanner line;

  NoteReader(LineScanner line) {
    this.line = line;
  }

  Note read() throws RecordingException {
    int n = line.line();
    String kind = line.name("the name of a note");
    return switch (kind) {
      case "fd" -> descriptor(n);
      case "newobj" -> newObject(n);
      case "path" -> {
        line.take(" ");
        yield new Note.Renamed(n, fileName());
      }
      case "checkpoint" -> {
        line.take(" ");
        yield new Note.CheckpointReached(n, line.word("the name of a checkpoint"));
      }
      case "child" -> child(n);
      case "follow" -> {
        line.take(" ");
        yield new Note.Follow(n, line.smallNumber("a process"));
      }
      case "others_exit" -> new Note.OthersExit(n);
      default ->
          throw line.wrongLine(
              "@fd, @newobj, @path, @checkpoint, @child, @follow or @others_exit");
    };
  }

  private Note descriptor(int n) throws RecordingException {
    line.take(" ");
    int fd = line.smallNumber("a file descriptor");
    line.take(" file=");
    int file = line.smallNumber("the identity of an open file");
    line.take(" kind=");
    FileKind kind = kind(line.name("reg, dir, chr, fifo, sock or anon"));
    line.take(" acc=");
    AccessMode mode = mode(line.name("ro, wo, rw or path"));
    line.take(" append=");
    boolean append = flag();
    line.take(" fs=");
    String fileSystem = line.word("a type of file system");
    line.take(" noexec=");
    boolean noExec = flag();
    line.take(" dev=");
    DeviceNumber device = device();
    line.take(" ino=");
    long inode = line.number("an inode number");
    line.take(" size=");
    long size = line.number("a size in bytes");
    line.take(" seals=");
    int seals = line.smallNumber("seals");
    DeviceNumber represents = line.skip(" rdev=") ? device() : DeviceNumber.NONE;
    line.take(" path=");
    return new Note.FileDescriptor(
        n,
        fd,
        file,
        kind,
        mode,
        append,
        fileSystem,
        noExec,
        new Note.FileName(device, inode, line.rest()),
        size,
        seals,
        represents);
  }

  private Note newObject(int n) throws RecordingException {
    line.take(" ");
    long length = -1;
    if (line.skip("addr=")) {
      line.number("an address");
      line.take(" len=");
      length = line.number("a length");
      line.take(" ");
    }
    return new Note.NewObject(n, fileName(), length);
  }

  private Note child(int n) throws RecordingException {
    line.take(" ");
    int pid = line.smallNumber("a process");
    boolean exits = line.skip(" exits");
    if (!exits) {
      line.take(" stays");
    }
    return new Note.Child(n, pid, exits);
  }

  private Note.FileName fileName() throws RecordingException {
    line.take("dev=");
    DeviceNumber device = device();
    line.take(" ino=");
    long inode = line.number("an inode number");
    line.take(" path=");
    return new Note.FileName(device, inode, line.rest());
  }

  private DeviceNumber device() throws RecordingException {
    return Devices.read(line);
  }

  private boolean flag() throws RecordingException {
    if (line.skip("0")) {
      return false;
    }
    line.take("1");
    return true;
  }

  private FileKind kind(String name) throws RecordingException {
    return switch (name) {
      case "reg" -> FileKind.REGULAR;
      case "dir" -> FileKind.DIRECTORY;
      case "chr" -> FileKind.CHARACTER_DEVICE;
      case "fifo" -> FileKind.FIFO;
      case "sock" -> FileKind.SOCKET;
      case "anon" -> FileKind.ANONYMOUS;
      default -> throw line.wrongLine("kind=reg, dir, chr, fifo, sock or anon");
    };
  }

  private AccessMode mode(String name) throws RecordingException {
    return switch (name) {
      case "ro" -> AccessMode.READ_ONLY;
      case "wo" -> AccessMode.WRITE_ONLY;
      case "rw" -> AccessMode.READ_WRITE;
      case "path" -> AccessMode.PATH;
      default -> throw line.wrongLine("acc=ro, wo, rw or path");
    };
  }
}
