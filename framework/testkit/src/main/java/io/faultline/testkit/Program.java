// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import io.faultline.device.AccessMode;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A process that does what a test says: the system calls and loads and stores of a C program, with
 * the process already filled in. Texts are one byte a character (ISO 8859-1).
 *
 * <p>One thread at a time, like the processor that it holds.
 */
public final class Program {
  private final Kernel kernel;
  private final Task task;
  private final UserMemory memory;

  /**
   * A process that runs already.
   *
   * @param kernel the kernel that it runs in
   * @param task the process
   */
  public Program(Kernel kernel, Task task) {
    this.kernel = kernel;
    this.task = task;
    this.memory = task.newCpu();
  }

  /** The process. */
  public Task task() {
    return task;
  }

  /** Its memory. */
  public UserMemory memory() {
    return memory;
  }

  /** {@code fork(2)}: the child. */
  public Program fork() throws ErrnoException {
    return new Program(kernel, kernel.tasks().fork(task));
  }

  /** {@code exit(0)}. */
  public void exit() {
    kernel.tasks().exit(task, 0);
  }

  /** {@code open(2)}: the descriptor. */
  public int open(String path, AccessMode mode) throws ErrnoException {
    return kernel.files().open(task, path, mode);
  }

  /** {@code close(2)}. */
  public void close(int fd) throws ErrnoException {
    kernel.files().close(task, fd);
  }

  /** {@code pwrite(2)}: the number of bytes written. */
  public int write(int fd, long position, String text) throws ErrnoException {
    kernel.files().seek(task, fd, position);
    return kernel.files().write(task, fd,
        MemorySegment.ofArray(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  /** {@code pread(2)}: the bytes read, perhaps fewer than asked for. */
  public String read(int fd, long position, int length) throws ErrnoException {
    byte[] buffer = new byte[length];
    kernel.files().seek(task, fd, position);
    int count = kernel.files().read(task, fd, MemorySegment.ofArray(buffer));
    return new String(buffer, 0, count, StandardCharsets.ISO_8859_1);
  }

  /** {@code mmap(2)} where the kernel chooses, readable and writable, {@code MAP_SHARED}. */
  public long mmapShared(int fd, long length, long offset) throws ErrnoException {
    return mmap(fd, length, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, offset);
  }

  /** {@code mmap(2)} where the kernel chooses, readable and writable, {@code MAP_PRIVATE}. */
  public long mmapPrivate(int fd, long length, long offset) throws ErrnoException {
    return mmap(fd, length, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_PRIVATE, offset);
  }

  /** {@code mmap(2)} where the kernel chooses. */
  public long mmap(int fd, long length, int prot, int flags, long offset) throws ErrnoException {
    return mmapAt(0, fd, length, prot, flags, offset);
  }

  /** {@code mmap(2)} at an address: a hint, or the place itself with {@code MAP_FIXED}. */
  public long mmapAt(long address, int fd, long length, int prot, int flags, long offset)
      throws ErrnoException {
    return kernel.vmas().mmap(task, address, length, prot, flags, fd, offset);
  }

  /** {@code munmap(2)}. */
  public void munmap(long address, long length) throws ErrnoException {
    kernel.vmas().munmap(task, address, length);
  }

  /** {@code mprotect(2)}. */
  public void mprotect(long address, long length, int prot) throws ErrnoException {
    kernel.vmas().mprotect(task, address, length, prot);
  }

  /** {@code mremap(2)} with {@code MREMAP_MAYMOVE}: the new address. */
  public long mremap(long address, long oldLength, long newLength) throws ErrnoException {
    return kernel.vmas().mremap(task, address, oldLength, newLength, Mman.MREMAP_MAYMOVE, 0);
  }

  /** {@code madvise(2)}. */
  public void madvise(long address, long length, int advice) throws ErrnoException {
    kernel.vmas().madvise(task, address, length, advice);
  }

  /** Stores a text. */
  public void poke(long address, String text) {
    memory.write(address, MemorySegment.ofArray(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  /** Loads a text of so many bytes. */
  public String peek(long address, int length) {
    byte[] buffer = new byte[length];
    memory.read(address, MemorySegment.ofArray(buffer));
    return new String(buffer, StandardCharsets.ISO_8859_1);
  }

  /**
   * The area that holds an address.
   *
   * @throws IllegalArgumentException when there is none
   */
  public Vma area(long address) {
    return kernel.vmas().find(task, address).orElseThrow(
        () -> new IllegalArgumentException("address: no area at " + Long.toHexString(address)));
  }

  /** Its areas, ascending. */
  public List<Vma> areas() {
    return kernel.vmas().list(task);
  }

  /**
   * The line of {@code /proc/PID/maps} for the area that begins at an address.
   *
   * @throws IllegalArgumentException when there is none
   */
  public String mapsLine(long start) {
    String beginning = String.format("%08x-", start);
    return kernel.proc().maps(task).lines().filter(line -> line.startsWith(beginning)).findFirst()
        .orElseThrow(() -> new IllegalArgumentException("start: no area begins at " + beginning));
  }
}
