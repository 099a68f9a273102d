// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import static io.faultline.host.linux.SyscallNumber.*;

import io.faultline.host.linux.Errnos;

/** Lines of {@code calls.strace}, as strace prints system calls. */
final class CallText {
  private static final int MAX_ERRNO = 4095;
  private static final int FIRST_INTERNAL = 512;
  private static final int MREMAP_NEW_ADDRESS = 2 | 4;

  private CallText() {}

  /**
   * A call with its result.
   *
   * @param behind how strace shows what an argument stands for: the file behind a descriptor, {@code
   *     </path>}, or a mask of nodes, {@code [0x1]}; empty for none
   */
  static String line(Entered call, String behind, long result) {
    return text(call, behind) + " = " + result(call.number(), result);
  }

  /** {@code 0x...}, and 0 for zero. */
  static String hex(long value) {
    return value == 0 ? "0" : "0x" + Long.toHexString(value);
  }

  /** The line of a limit. */
  static String limit(int resource, long soft, long hard) {
    return "prlimit64(0, %s, {rlim_cur=%s, rlim_max=%s}, NULL) = 0".formatted(
        CallKind.limitName(resource), limitValue(soft), limitValue(hard));
  }

  /** A string in quotes. */
  static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c == '\n') {
        quoted.append("\\n");
      } else if (c == '\t') {
        quoted.append("\\t");
      } else if (c < ' ' || c >= 0x7f) {
        quoted.append('\\').append(Integer.toOctalString(c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  static boolean failed(long result) {
    return Long.compareUnsigned(result, -MAX_ERRNO) >= 0;
  }

  private static String limitValue(long value) {
    return value == -1 ? "RLIM64_INFINITY" : Long.toUnsignedString(value);
  }

  private static String result(int number, long result) {
    if (failed(result)) {
      int errno = (int) -result;
      // The kernel's own numbers: the call is about to be made again.
      return errno >= FIRST_INTERNAL ? "? (to be restarted)" : "-1 " + Errnos.describe(errno);
    }
    return switch (number) {
      case MMAP, MREMAP, BRK, SHMAT -> hex(result);
      default -> Long.toString(result);
    };
  }

  private static String text(Entered call, String behind) {
    long[] a = call.arguments();
    return switch (call.number()) {
      case MMAP -> join("mmap", address(a[0]), length(a[1]), FlagText.prot(a[2]),
          FlagText.map(a[3]), (int) a[4] + behind, hex(a[5]));
      case MUNMAP -> join("munmap", address(a[0]), length(a[1]));
      case MPROTECT -> join("mprotect", address(a[0]), length(a[1]), FlagText.prot(a[2]));
      case PKEY_MPROTECT -> join("pkey_mprotect", address(a[0]), length(a[1]),
          FlagText.prot(a[2]), number(a[3]));
      case PKEY_ALLOC -> join("pkey_alloc", hex(a[0]), hex(a[1]));
      case PKEY_FREE -> join("pkey_free", number(a[0]));
      case BRK -> join("brk", address(a[0]));
      case MREMAP -> (a[3] & MREMAP_NEW_ADDRESS) != 0
          ? join("mremap", address(a[0]), length(a[1]), length(a[2]), FlagText.MREMAP.of(a[3]),
              address(a[4]))
          : join("mremap", address(a[0]), length(a[1]), length(a[2]), FlagText.MREMAP.of(a[3]));
      case MADVISE -> join("madvise", address(a[0]), length(a[1]), FlagText.advice(a[2]));
      case MSYNC -> join("msync", address(a[0]), length(a[1]), FlagText.MS.of(a[2]));
      case MLOCK -> join("mlock", address(a[0]), length(a[1]));
      case MLOCK2 -> join("mlock2", address(a[0]), length(a[1]), FlagText.MLOCK.of(a[2]));
      case MUNLOCK -> join("munlock", address(a[0]), length(a[1]));
      case MLOCKALL -> join("mlockall", FlagText.MCL.of(a[0]));
      case MUNLOCKALL -> "munlockall()";
      case MINCORE -> join("mincore", address(a[0]), length(a[1]), address(a[2]));
      case MSEAL -> join("mseal", address(a[0]), length(a[1]), hex(a[2]));
      case REMAP_FILE_PAGES -> join("remap_file_pages", address(a[0]), length(a[1]),
          FlagText.prot(a[2]), length(a[3]), a[4] == 0 ? "0" : FlagText.map(a[4]));
      case SHMAT -> join("shmat", number(a[0]), address(a[1]), hex(a[2] & 0xffffffffL));
      case SHMDT -> join("shmdt", address(a[0]));
      case IO_SETUP -> join("io_setup", number(a[0]), address(a[1]));
      case IO_DESTROY -> join("io_destroy", address(a[0]));
      case PRCTL -> join("prctl", hex(a[0]), hex(a[1]), hex(a[2]), hex(a[3]), hex(a[4]));
      case MBIND -> join("mbind", address(a[0]), length(a[1]), FlagText.policy(a[2]),
          behind.isEmpty() ? address(a[3]) : behind, length(a[4]), FlagText.MPOL_MF.of(a[5]));
      case SET_MEMPOLICY ->
          join("set_mempolicy", FlagText.policy(a[0]), behind.isEmpty() ? address(a[1]) : behind,
              length(a[2]));
      case CLONE -> join("clone", hex(a[0]), hex(a[1]), hex(a[2]), hex(a[3]), hex(a[4]));
      case CLONE3 -> join("clone3", hex(a[0]), length(a[1]));
      case FORK -> "fork()";
      case VFORK -> "vfork()";
      default -> throw new IllegalArgumentException("call: " + call.number() + " has no line");
    };
  }

  private static String address(long address) {
    return address == 0 ? "NULL" : hex(address);
  }

  private static String length(long length) {
    return Long.toUnsignedString(length);
  }

  private static String number(long value) {
    return Integer.toString((int) value);
  }

  private static String join(String name, String... arguments) {
    return name + "(" + String.join(", ", arguments) + ")";
  }
}
