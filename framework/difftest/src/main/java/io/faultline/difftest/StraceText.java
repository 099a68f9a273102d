// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.FlagNames;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.SetLimit;
import io.faultline.replay.recording.SystemCall;
import io.faultline.replay.recording.Touch;

/** Prints steps as lines of {@code calls.strace}. */
final class StraceText {
  private StraceText() {}

  /**
   * A step's line or lines, without the last line's end.
   *
   * @param result what the kernel answered
   */
  static String of(Event event, String result) {
    return switch (event) {
      case SystemCall call -> call(call) + " = " + withText(result);
      case Touch touch ->
          (touch.access() == Access.WRITE ? "touch_write(" : "touch_read(")
              + address(touch.address()).replace("NULL", "0") + ") = " + result;
      case SetLimit limit ->
          "prlimit64(0, %s, {rlim_cur=%s, rlim_max=%s}, NULL) = 0".formatted(
              limit.resource(), limit(limit.soft() == null ? -1L : limit.soft()),
              limit(limit.hard()));
      case Note.Child child -> "fork() = " + child.pid() + "\n@child " + child.pid()
          + (child.exits() ? " exits" : " stays");
      case Note.Follow follow -> "fork() = " + follow.pid() + "\n@follow " + follow.pid();
      case Note.OthersExit all -> "@others_exit";
      case Note.FileDescriptor fd -> descriptor(fd);
      case Note.NewObject object -> "@newobj "
          + (object.length() < 0 ? "" : "addr=0x0 len=" + object.length() + " ")
          + name(object.name());
      default -> throw new IllegalArgumentException("event: " + event + " is no step");
    };
  }

  private static String call(SystemCall call) {
    return switch (call) {
      case SystemCall.Mmap c ->
          "mmap(%s, %s, %s, %s, %d, %s)".formatted(
              address(c.address()), length(c.length()), FlagNames.PROT.text(c.prot()),
              FlagNames.MAP.text(c.flags()), c.fd(), offset(c.offset()));
      case SystemCall.Munmap c -> range("munmap", c.address(), c.length()) + ")";
      case SystemCall.Mprotect c ->
          range("mprotect", c.address(), c.length()) + ", " + FlagNames.PROT.text(c.prot()) + ")";
      case SystemCall.PkeyMprotect c ->
          range("pkey_mprotect", c.address(), c.length()) + ", " + FlagNames.PROT.text(c.prot())
              + ", " + c.pkey() + ")";
      case SystemCall.PkeyAlloc c ->
          "pkey_alloc(" + hex(c.flags()) + ", " + FlagNames.PKEY.text(c.rights()) + ")";
      case SystemCall.PkeyFree c -> "pkey_free(" + c.pkey() + ")";
      case SystemCall.Brk c -> "brk(" + address(c.address()) + ")";
      case SystemCall.Mremap c ->
          range("mremap", c.oldAddress(), c.oldLength()) + ", " + length(c.newLength()) + ", "
              + FlagNames.MREMAP.text(c.flags())
              + ((c.flags() & (Mman.MREMAP_FIXED | Mman.MREMAP_DONTUNMAP)) == 0
                  ? ""
                  : ", " + address(c.newAddress()))
              + ")";
      case SystemCall.Madvise c ->
          range("madvise", c.address(), c.length()) + ", " + FlagNames.MADV.text(c.advice()) + ")";
      case SystemCall.Msync c ->
          range("msync", c.address(), c.length()) + ", " + FlagNames.MS.text(c.flags()) + ")";
      case SystemCall.Mlock c -> range("mlock", c.address(), c.length()) + ")";
      case SystemCall.Mlock2 c ->
          range("mlock2", c.address(), c.length()) + ", " + FlagNames.MLOCK.text(c.flags()) + ")";
      case SystemCall.Munlock c -> range("munlock", c.address(), c.length()) + ")";
      case SystemCall.Mlockall c -> "mlockall(" + FlagNames.MCL.text(c.flags()) + ")";
      case SystemCall.Munlockall c -> "munlockall()";
      case SystemCall.Mincore c ->
          range("mincore", c.address(), c.length()) + ", " + address(c.vector()) + ")";
      case SystemCall.Mseal c ->
          range("mseal", c.address(), c.length()) + ", " + offset(c.flags()) + ")";
      case SystemCall.RemapFilePages c ->
          range("remap_file_pages", c.address(), c.size()) + ", " + FlagNames.PROT.text(c.prot())
              + ", " + length(c.pageOffset()) + ", " + FlagNames.MAP.text(c.flags()) + ")";
      case SystemCall.Shmat c ->
          "shmat(%d, %s, %s)".formatted(c.id(), address(c.address()),
              FlagNames.SHM.text(c.flags()));
      case SystemCall.Shmdt c -> "shmdt(" + address(c.address()) + ")";
      case SystemCall.IoSetup c ->
          "io_setup(%d, %s)".formatted(c.events(), address(c.pointer()));
      case SystemCall.IoDestroy c -> "io_destroy(" + address(c.context()) + ")";
      case SystemCall.Prctl c ->
          "prctl(%s, %s, %s, %s, %s)".formatted(offset(c.option() & 0xffffffffL), offset(c.a()),
              offset(c.b()), offset(c.c()), offset(c.d()));
      case SystemCall.Mbind c ->
          range("mbind", c.address(), c.length())
              + ", %s, %s, %s, %s)".formatted(FlagNames.MPOL.text(c.mode()), c.mask(),
                  length(c.maxNode()), FlagNames.MPOL_MF.text(c.flags()));
      case SystemCall.SetMempolicy c ->
          "set_mempolicy(%s, %s, %s)".formatted(
              FlagNames.MPOL.text(c.mode()), c.mask(), length(c.maxNode()));
      case SystemCall.Unlisted c ->
          throw new IllegalArgumentException("call: " + c + " is not generated");
    };
  }

  private static String limit(long bytes) {
    return bytes == -1 ? "RLIM64_INFINITY" : Long.toUnsignedString(bytes);
  }

  private static String descriptor(Note.FileDescriptor fd) {
    return ("@fd %d file=%d kind=%s acc=%s append=%d fs=%s noexec=%d %s size=%d seals=0x%x%s path=%s")
        .formatted(fd.fd(), fd.file(), kind(fd.kind()), mode(fd.mode()), fd.append() ? 1 : 0,
            fd.fileSystem(), fd.noExec() ? 1 : 0, identity(fd.name()), fd.size(), fd.seals(),
            fd.represents().equals(DeviceNumber.NONE) ? ""
                : " rdev=%x:%x".formatted(fd.represents().major(), fd.represents().minor()),
            fd.name().path());
  }

  private static String kind(FileKind kind) {
    return switch (kind) {
      case REGULAR -> "reg";
      case DIRECTORY -> "dir";
      case CHARACTER_DEVICE -> "chr";
      case FIFO -> "fifo";
      case SOCKET -> "sock";
      case ANONYMOUS -> "anon";
    };
  }

  private static String mode(AccessMode mode) {
    return switch (mode) {
      case READ_ONLY -> "ro";
      case WRITE_ONLY -> "wo";
      case READ_WRITE -> "rw";
      case PATH -> "path";
    };
  }

  private static String name(Note.FileName name) {
    return identity(name) + " path=" + name.path();
  }

  private static String identity(Note.FileName name) {
    return "dev=%02x:%02x ino=%d".formatted(
        name.device().major(), name.device().minor(), name.number());
  }

  private static String range(String name, long address, long length) {
    return name + "(" + address(address) + ", " + length(length);
  }

  private static String address(long address) {
    return address == 0 ? "NULL" : hex(address);
  }

  private static String offset(long offset) {
    return offset == 0 ? "0" : hex(offset);
  }

  private static String length(long length) {
    return Long.toUnsignedString(length);
  }

  private static String hex(long number) {
    return "0x" + Long.toHexString(number);
  }

  private static String withText(String result) {
    return result.startsWith("-1 ")
        ? result + " (" + io.faultline.mm.Errno.valueOf(result.substring(3)).text() + ")"
        : result;
  }
}
