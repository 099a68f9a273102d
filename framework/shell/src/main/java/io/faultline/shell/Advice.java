// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

import io.faultline.kernel.Task;
import io.faultline.mm.Errno;
import io.faultline.mm.Siginfo;
import io.faultline.shell.word.Address;
import org.jspecify.annotations.Nullable;

/** What to do about an error of the kernel, in a few words; empty where the error says it all. */
final class Advice {
  static String on(Errno errno, @Nullable Task task) {
    String pid = task == null ? "PID" : Integer.toString(task.pid());
    return switch (errno) {
      case EBADF -> "files " + pid + " lists its descriptors";
      case ENOENT -> "devices lists what can be opened";
      case ENXIO -> "its driver is gone: install it again, devices shows which";
      case ESRCH -> "ps lists the running processes";
      case ENOMEM, EEXIST -> "maps " + pid + " shows what is mapped";
      case EACCES -> "files " + pid + " shows how the file was opened";
      case EAGAIN ->
          "not now: too much memory is locked (munlock some), or nothing is there to be read yet";
      case EBUSY -> "someone still has it mapped: vmas and devices show who";
      case EDEADLK -> "the driver called back into the address space it was called for";
      default -> "";
    };
  }

  static String on(Siginfo info, @Nullable Task task) {
    String pid = task == null ? "PID" : Integer.toString(task.pid());
    Address address = new Address(info.address());
    return switch (info.code()) {
      case SEGV_MAPERR -> "maps " + pid + " shows what is mapped";
      case SEGV_ACCERR, SEGV_PKUERR -> "vmas " + pid + " " + address + " shows what is allowed";
      case SI_KERNEL -> "addresses end at 0x7fffffffffff";
      case BUS_ADRERR -> "vmas " + pid + " " + address + " shows the area and its driver";
      case OOM_KILLED -> "meminfo shows what memory is used for, swapon gives it more room";
    };
  }

  private Advice() {}
}
