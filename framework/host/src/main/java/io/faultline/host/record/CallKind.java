// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import static io.faultline.host.linux.SyscallNumber.*;

/** What the recorder has to do about a system call. */
enum CallKind {
  /** It acts on the address space: everybody else is held, and there is a line and a digest. */
  MEMORY,
  /** It makes a task: a line, and nothing else. */
  TASK,
  /** It changes limits: a line, if it is one of those that memory calls ask for. */
  LIMIT,
  /** It closes or copies descriptors. */
  DESCRIPTOR,
  /** The address space may be replaced by another. */
  EXEC,
  /** The process ends. */
  EXIT,
  /** None of these. */
  OTHER;

  /** Names an anonymous mapping, where the kernel knows how to. */
  static final int PR_SET_VMA = 0x53564d41;

  private static final int RLIMIT_DATA = 2;
  private static final int RLIMIT_STACK = 3;
  private static final int RLIMIT_MEMLOCK = 8;
  private static final int RLIMIT_AS = 9;

  static CallKind of(Entered call) {
    return switch (call.number()) {
      case MMAP, MPROTECT, MUNMAP, BRK, MREMAP, MSYNC, MINCORE, MADVISE, SHMAT, SHMDT, MLOCK,
          MUNLOCK, MLOCKALL, MUNLOCKALL, IO_SETUP, IO_DESTROY, REMAP_FILE_PAGES, MBIND,
          SET_MEMPOLICY, PKEY_MPROTECT, PKEY_ALLOC, PKEY_FREE, MLOCK2, MSEAL -> MEMORY;
      case PRCTL -> call.intArg(0) == PR_SET_VMA ? MEMORY : OTHER;
      case CLONE, CLONE3, FORK, VFORK -> TASK;
      case PRLIMIT64 -> call.arg(2) != 0 && limit(call.intArg(1)) ? LIMIT : OTHER;
      case SETRLIMIT -> limit(call.intArg(0)) ? LIMIT : OTHER;
      case CLOSE, CLOSE_RANGE, DUP2, DUP3 -> DESCRIPTOR;
      case EXECVE, EXECVEAT -> EXEC;
      case EXIT_GROUP -> EXIT;
      default -> OTHER;
    };
  }

  /** The name of a limit that is recorded. */
  static String limitName(int resource) {
    return switch (resource) {
      case RLIMIT_DATA -> "RLIMIT_DATA";
      case RLIMIT_STACK -> "RLIMIT_STACK";
      case RLIMIT_MEMLOCK -> "RLIMIT_MEMLOCK";
      case RLIMIT_AS -> "RLIMIT_AS";
      default -> throw new IllegalArgumentException("resource: " + resource);
    };
  }

  private static boolean limit(int resource) {
    return resource == RLIMIT_DATA || resource == RLIMIT_STACK || resource == RLIMIT_MEMLOCK
        || resource == RLIMIT_AS;
  }
}
