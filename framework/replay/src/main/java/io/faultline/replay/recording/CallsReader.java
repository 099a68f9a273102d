// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.kernel.Limits;
import io.faultline.mm.Access;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads {@code calls.strace}: one event a line. */
final class CallsReader {
  private final LineScanner line;
  private final NoteReader notes;

  CallsReader(LineScanner line) {
    this.line = line;
    this.notes = new NoteReader(line);
  }

  List<Event> read() throws RecordingException {
    List<Event> events = new ArrayList<>();
    while (line.next()) {
      if (line.atEnd()) {
        throw line.expected("a call, a touch or a note");
      }
      events.add(line.skip("@") ? notes.read() : call());
    }
    return List.copyOf(events);
  }

  private Event call() throws RecordingException {
    int n = line.line();
    String name = line.name("the name of a call, a touch or '@'");
    line.take("(");
    return switch (name) {
      case "mmap" -> mmap(n);
      case "munmap" -> new SystemCall.Munmap(n, address(), lastLength(), result());
      case "mprotect" -> new SystemCall.Mprotect(n, address(), length(), prot(), result());
      case "pkey_mprotect" -> {
        long address = address();
        long length = length();
        int prot = prot();
        line.comma();
        yield new SystemCall.PkeyMprotect(n, address, length, prot, key(), result());
      }
      case "pkey_alloc" -> {
        int flags = line.smallNumber("flags");
        line.comma();
        yield new SystemCall.PkeyAlloc(n, flags, FlagNames.PKEY.read(line), result());
      }
      case "pkey_free" -> new SystemCall.PkeyFree(n, key(), result());
      case "brk" -> new SystemCall.Brk(n, lastAddress(), result());
      case "mremap" -> mremap(n);
      case "madvise" ->
          new SystemCall.Madvise(n, address(), length(), FlagNames.MADV.read(line), result());
      case "msync" ->
          new SystemCall.Msync(n, address(), length(), FlagNames.MS.read(line), result());
      case "mlock" -> new SystemCall.Mlock(n, address(), lastLength(), result());
      case "mlock2" ->
          new SystemCall.Mlock2(n, address(), length(), FlagNames.MLOCK.read(line), result());
      case "munlock" -> new SystemCall.Munlock(n, address(), lastLength(), result());
      case "mlockall" -> new SystemCall.Mlockall(n, FlagNames.MCL.read(line), result());
      case "munlockall" -> new SystemCall.Munlockall(n, result());
      case "mincore" -> new SystemCall.Mincore(n, address(), length(), lastAddress(), result());
      case "mseal" ->
          new SystemCall.Mseal(n, address(), length(), line.number("flags"), result());
      case "remap_file_pages" -> remapFilePages(n);
      case "shmat" -> {
        int id = line.smallNumber("the identifier of a segment");
        line.comma();
        yield new SystemCall.Shmat(n, id, address(), FlagNames.SHM.read(line), result());
      }
      case "shmdt" -> new SystemCall.Shmdt(n, lastAddress(), result());
      case "io_setup" -> {
        int events = line.smallNumber("a number of events");
        line.comma();
        yield new SystemCall.IoSetup(n, events, lastAddress(), result());
      }
      case "io_destroy" -> new SystemCall.IoDestroy(n, lastAddress(), result());
      case "prctl" -> prctl(n);
      case "mbind" -> mbind(n);
      case "set_mempolicy", "syscall_238" -> setMempolicy(n);
      case "prlimit64" -> limit(n, true);
      case "setrlimit" -> limit(n, false);
      case "touch_read" -> touch(n, Access.READ);
      case "touch_write" -> touch(n, Access.WRITE);
      case "execve", "fork", "vfork", "clone", "clone3" -> new OpaqueCall(n, name);
      default -> {
        line.skipPastLastBefore("", ") = ", "') = ' and a result");
        yield new SystemCall.Unlisted(n, name, result());
      }
    };
  }

  private SystemCall mmap(int n) throws RecordingException {
    long address = address();
    long length = length();
    int prot = prot();
    line.comma();
    int flags = FlagNames.MAP.read(line);
    line.comma();
    int fd = line.smallNumber("a file descriptor");
    if (line.peek() == '<') {
      // A path may hold any character; the offset stands behind the last comma.
      line.skipPastLastBefore(", ", ") = ", "', ' and the offset");
    } else {
      line.comma();
    }
    long offset = line.number("the offset");
    return new SystemCall.Mmap(n, address, length, prot, flags, fd, offset, result());
  }

  private SystemCall mremap(int n) throws RecordingException {
    long oldAddress = address();
    long oldLength = length();
    long newLength = length();
    int flags = FlagNames.MREMAP.read(line);
    long newAddress = line.skip(", ") ? line.number("the new address") : 0;
    return new SystemCall.Mremap(
        n, oldAddress, oldLength, newLength, flags, newAddress, result());
  }

  private SystemCall remapFilePages(int n) throws RecordingException {
    long address = address();
    long size = length();
    int prot = prot();
    line.comma();
    long pageOffset = line.number("the offset in pages");
    line.comma();
    int flags = FlagNames.MAP.read(line);
    return new SystemCall.RemapFilePages(n, address, size, prot, pageOffset, flags, result());
  }

  private SystemCall prctl(int n) throws RecordingException {
    int option = (int) line.number("the option");
    long[] words = new long[4];
    for (int i = 0; i < words.length && line.skip(", "); i++) {
      words[i] = line.number("an argument of prctl");
    }
    return new SystemCall.Prctl(n, option, words[0], words[1], words[2], words[3], result());
  }

  private SystemCall mbind(int n) throws RecordingException {
    long address = address();
    long length = length();
    int mode = FlagNames.MPOL.read(line);
    line.comma();
    NodeMask mask = NodeMask.read(line);
    line.comma();
    long maxNode = line.number("a number of nodes");
    line.comma();
    int flags = FlagNames.MPOL_MF.read(line);
    return new SystemCall.Mbind(n, address, length, mode, mask, maxNode, flags, result());
  }

  private SystemCall setMempolicy(int n) throws RecordingException {
    int mode = FlagNames.MPOL.read(line);
    line.comma();
    NodeMask mask = NodeMask.read(line);
    line.comma();
    long maxNode = line.number("a number of nodes");
    // A call printed by its number has the words of all six registers.
    line.skipPastLastBefore("", ") = ", "') = ' and a result");
    return new SystemCall.SetMempolicy(n, mode, mask, maxNode, result());
  }

  private Touch touch(int n, Access access) throws RecordingException {
    long address = lastAddress();
    String expected = result();
    if (expected == null) {
      throw line.wrongLine("the result of a touch");
    }
    return new Touch(n, address, access, expected);
  }

  private SetLimit limit(int n, boolean hasPid) throws RecordingException {
    if (hasPid) {
      line.take("0, ");
    }
    String resource = line.name("RLIMIT_…");
    line.comma();
    Long soft = null;
    long hard = Limits.UNLIMITED;
    if (!line.skip("NULL")) {
      line.take("{rlim_cur=");
      soft = limitValue();
      line.take(", rlim_max=");
      hard = limitValue();
      line.take("}");
    }
    if (hasPid) {
      line.skipPastLast(") = ", "') = ' and a result");
      return new SetLimit(n, resource, value().equals("0") ? soft : null, hard);
    }
    return new SetLimit(n, resource, "0".equals(result()) ? soft : null, hard);
  }

  private long limitValue() throws RecordingException {
    if (line.skip("RLIM64_INFINITY") || line.skip("RLIM_INFINITY")) {
      return Limits.UNLIMITED;
    }
    long value = line.number("a limit");
    return line.skip("*1024") ? value * 1024 : value;
  }

  /** An address with an argument behind it. */
  private long address() throws RecordingException {
    long address = lastAddress();
    line.comma();
    return address;
  }

  private long lastAddress() throws RecordingException {
    return line.number("an address");
  }

  /** A length with an argument behind it. */
  private long length() throws RecordingException {
    long length = lastLength();
    line.comma();
    return length;
  }

  private long lastLength() throws RecordingException {
    return line.number("a length");
  }

  private int prot() throws RecordingException {
    return FlagNames.PROT.read(line);
  }

  private int key() throws RecordingException {
    return line.smallNumber("a protection key");
  }

  /** The result, which ends the line; null for a call that never returned. */
  private @Nullable String result() throws RecordingException {
    line.take(") = ");
    return line.peek() == '?' ? null : value();
  }

  /** {@code -1 ERRNO (text)} without the text; everything else as it is. */
  private String value() throws RecordingException {
    String value = line.rest();
    if (value.startsWith("-1 ")) {
      int blank = value.indexOf(' ', 3);
      return blank < 0 ? value : value.substring(0, blank);
    }
    if (value.isEmpty()) {
      throw line.wrongLine("a result behind ') = '");
    }
    if (value.startsWith("0x")) {
      int blank = value.indexOf(' ');
      return blank < 0 ? value : value.substring(0, blank);
    }
    return value;
  }
}
