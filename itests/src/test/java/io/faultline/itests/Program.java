// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;

import io.faultline.device.AccessMode;
import io.faultline.kernel.Files;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.assertj.core.api.Assertions;

/** A program under test, for short: a process and the calls that tests make of it. */
final class Program implements AutoCloseable {
  private final Tasks tasks;
  private final Files files;
  private final VmaService memory;
  private final Task task;
  private final UserMemory cpu;

  private Program(Tasks tasks, Files files, VmaService memory, Task task) {
    this.tasks = tasks;
    this.files = files;
    this.memory = memory;
    this.task = task;
    this.cpu = task.newCpu();
  }

  static Program start(Tasks tasks, Files files, VmaService memory) {
    return new Program(tasks, files, memory, tasks.spawn("test"));
  }

  Task task() {
    return task;
  }

  UserMemory cpu() {
    return cpu;
  }

  int open(String device) throws ErrnoException {
    return files.open(task, device, AccessMode.READ_WRITE);
  }

  void close(int fd) throws ErrnoException {
    files.close(task, fd);
  }

  /** Maps pages shared, readable and writable, from the file's beginning. */
  long map(int fd, int pages) throws ErrnoException {
    return map(fd, pages, PROT_READ | PROT_WRITE, MAP_SHARED);
  }

  long mapPrivate(int fd, int pages) throws ErrnoException {
    return map(fd, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  }

  long map(int fd, int pages, int protection, int flags) throws ErrnoException {
    return memory.mmap(task, 0, (long) pages * PAGE_SIZE, protection, flags, fd, 0);
  }

  void unmap(long address, int pages) throws ErrnoException {
    memory.munmap(task, address, (long) pages * PAGE_SIZE);
  }

  Program fork() throws ErrnoException {
    return new Program(tasks, files, memory, tasks.fork(task));
  }

  /** The text at an address, up to its first zero byte or the end of its page. */
  String text(long address) {
    byte[] bytes = new byte[PAGE_SIZE - (int) (address & (PAGE_SIZE - 1))];
    cpu.read(address, MemorySegment.ofArray(bytes));
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.US_ASCII);
  }

  void putText(long address, String text) {
    MemorySegment bytes = MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
    cpu.write(address, bytes);
  }

  /** write(2) of a text and zeros up to a whole page. */
  void writePage(int fd, String text) throws ErrnoException {
    MemorySegment page = MemorySegment.ofArray(new byte[PAGE_SIZE]);
    MemorySegment.copy(
        text.getBytes(StandardCharsets.US_ASCII), 0, page, ValueLayout.JAVA_BYTE, 0, text.length());
    Assertions.assertThat(files.write(task, fd, page)).isEqualTo(PAGE_SIZE);
  }

  /** What an access is refused with. */
  SignalCode refusal(long address) {
    SignalException signal =
        Assertions.catchThrowableOfType(SignalException.class, () -> cpu.getByte(address));
    Assertions.assertThat(signal).as("the access is refused").isNotNull();
    return signal.info().code();
  }

  @Override
  public void close() {
    tasks.exit(task, 0);
  }
}
