// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import org.jspecify.annotations.Nullable;

/**
 * A memory call with the raw words of its arguments: addresses and lengths in bytes, unsigned. Each
 * component {@code expected} is that of {@link ScoredEvent}.
 */
public sealed interface SystemCall extends ScoredEvent {
  record Mmap(
      int line,
      long address,
      long length,
      int prot,
      int flags,
      int fd,
      long offset,
      @Nullable String expected)
      implements SystemCall {}

  record Munmap(int line, long address, long length, @Nullable String expected)
      implements SystemCall {}

  record Mprotect(int line, long address, long length, int prot, @Nullable String expected)
      implements SystemCall {}

  record PkeyMprotect(
      int line, long address, long length, int prot, int pkey, @Nullable String expected)
      implements SystemCall {}

  record PkeyAlloc(int line, int flags, int rights, @Nullable String expected)
      implements SystemCall {}

  record PkeyFree(int line, int pkey, @Nullable String expected) implements SystemCall {}

  record Brk(int line, long address, @Nullable String expected) implements SystemCall {}

  /**
   * @param newAddress 0 where it is not printed
   */
  record Mremap(
      int line,
      long oldAddress,
      long oldLength,
      long newLength,
      int flags,
      long newAddress,
      @Nullable String expected)
      implements SystemCall {}

  record Madvise(int line, long address, long length, int advice, @Nullable String expected)
      implements SystemCall {}

  record Msync(int line, long address, long length, int flags, @Nullable String expected)
      implements SystemCall {}

  record Mlock(int line, long address, long length, @Nullable String expected)
      implements SystemCall {}

  record Mlock2(int line, long address, long length, int flags, @Nullable String expected)
      implements SystemCall {}

  record Munlock(int line, long address, long length, @Nullable String expected)
      implements SystemCall {}

  record Mlockall(int line, int flags, @Nullable String expected) implements SystemCall {}

  record Munlockall(int line, @Nullable String expected) implements SystemCall {}

  record Mincore(int line, long address, long length, long vector, @Nullable String expected)
      implements SystemCall {}

  record Mseal(int line, long address, long length, long flags, @Nullable String expected)
      implements SystemCall {}

  /**
   * @param pageOffset in pages
   */
  record RemapFilePages(
      int line,
      long address,
      long size,
      int prot,
      long pageOffset,
      int flags,
      @Nullable String expected)
      implements SystemCall {}

  /**
   * @param id the identifier on the recorded machine
   */
  record Shmat(int line, int id, long address, int flags, @Nullable String expected)
      implements SystemCall {}

  record Shmdt(int line, long address, @Nullable String expected) implements SystemCall {}

  /**
   * @param pointer where the program wants to have the context
   */
  record IoSetup(int line, int events, long pointer, @Nullable String expected)
      implements SystemCall {}

  record IoDestroy(int line, long context, @Nullable String expected) implements SystemCall {}

  record Prctl(int line, int option, long a, long b, long c, long d, @Nullable String expected)
      implements SystemCall {}

  record Mbind(
      int line,
      long address,
      long length,
      int mode,
      NodeMask mask,
      long maxNode,
      int flags,
      @Nullable String expected)
      implements SystemCall {}

  /** {@code set_mempolicy}, which recorders may print as {@code syscall_238}. */
  record SetMempolicy(int line, int mode, NodeMask mask, long maxNode, @Nullable String expected)
      implements SystemCall {}

  /**
   * A call that the format does not list; it is scored all the same.
   *
   * @param name as printed
   */
  record Unlisted(int line, String name, @Nullable String expected) implements SystemCall {}
}
