// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.host.linux.OpenFlags;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.BareProgram;
import io.faultline.host.ptrace.RemoteSyscalls;
import io.faultline.host.ptrace.TracedProcess;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.testkit.Kernel;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A process that a script tells what to do, on this machine's kernel or on the engine. */
abstract class ScriptedProcess implements AutoCloseable {
  private static final List<String> COUNTERS =
      List.of("VmPeak", "VmSize", "VmLck", "VmHWM", "VmRSS", "RssAnon", "RssShmem", "VmData",
          "VmSwap");

  private final List<String> notes;

  private ScriptedProcess(List<String> notes) {
    this.notes = notes;
  }

  /** What the script wants to be compared. */
  final void note(String seen) {
    notes.add(seen);
  }

  final List<String> notes() {
    return notes;
  }

  abstract long mmap(long length, int prot, int flags, int fd) throws Exception;

  abstract void munmap(long address, long length) throws Exception;

  abstract void mprotect(long address, long length, int prot) throws Exception;

  abstract void madvise(long address, long length, int advice) throws Exception;

  abstract void lock(long address, long length) throws Exception;

  abstract int openFile() throws Exception;

  abstract void read(long address) throws Exception;

  abstract void write(long address) throws Exception;

  abstract void clearRefs(int what) throws Exception;

  abstract ScriptedProcess fork() throws Exception;

  abstract void exit() throws Exception;

  abstract long[] pagemap(long address, int pages) throws Exception;

  abstract String smapsText() throws Exception;

  abstract String statusText() throws Exception;

  @Override
  public void close() throws Exception {
    exit();
  }

  /** The lines of the area that holds an address, by their names. */
  final Map<String, String> smaps(long address) throws Exception {
    Map<String, String> lines = new LinkedHashMap<>();
    boolean here = false;
    for (String line : smapsText().split("\n")) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        String[] range = line.substring(0, line.indexOf(' ')).split("-");
        here = Long.parseUnsignedLong(range[0], 16) <= address
            && address < Long.parseUnsignedLong(range[1], 16);
      } else if (here) {
        lines.put(line.substring(0, line.indexOf(':')), line.substring(line.indexOf(':') + 1));
      }
    }
    assertThat(lines).as("smaps of the area").isNotEmpty();
    return lines;
  }

  /** The counters of memory, in kB. */
  final Map<String, Long> status() throws Exception {
    Map<String, Long> counters = new HashMap<>();
    for (String line : statusText().split("\n")) {
      if (line.endsWith(" kB")) {
        String[] words = line.split("[:\\s]+");
        counters.put(words[0], Long.parseLong(words[1]));
      }
    }
    return counters;
  }

  /**
   * How they differ from before: what the two programs had at first is not the same. VmHWM is in MiB,
   * since Linux's is only as exact as its counters of each processor.
   */
  final Map<String, Long> statusSince(Map<String, Long> before) throws Exception {
    Map<String, Long> now = status();
    Map<String, Long> since = new LinkedHashMap<>();
    for (String counter : COUNTERS) {
      long change = now.getOrDefault(counter, -1L) - before.getOrDefault(counter, -1L);
      since.put(counter, counter.equals("VmHWM") ? change + 512 >> 10 : change);
    }
    return since;
  }

  static ScriptedProcess onHost(TracedProcess process, Path file, List<String> notes)
      throws Exception {
    return new OnHost(process, file, notes);
  }

  /** A process of the engine; its file is in memory as a whole. */
  static ScriptedProcess onEngine(Kernel kernel, int filePages, List<String> notes)
      throws Exception {
    return new OnEngine(
        kernel, kernel.tasks().spawn("target"), new CachedFile(filePages), notes);
  }

  /** A stopped child. */
  private static final class OnHost extends ScriptedProcess {
    private final TracedProcess process;
    private final RemoteSyscalls calls;
    private final Path file;

    OnHost(TracedProcess process, Path file, List<String> notes) throws Exception {
      super(notes);
      this.process = process;
      this.calls = process.syscalls(BareProgram.GADGETS);
      this.file = file;
    }

    private static long checked(long result) {
      assertThat(result >= 0 || result < -4095).as("a call of the script: " + result).isTrue();
      return result;
    }

    @Override
    long mmap(long length, int prot, int flags, int fd) throws Exception {
      return checked(calls.call(SyscallNumber.MMAP, 0, length, prot, flags, fd, 0));
    }

    @Override
    void munmap(long address, long length) throws Exception {
      checked(calls.call(SyscallNumber.MUNMAP, address, length));
    }

    @Override
    void mprotect(long address, long length, int prot) throws Exception {
      checked(calls.call(SyscallNumber.MPROTECT, address, length, prot));
    }

    @Override
    void madvise(long address, long length, int advice) throws Exception {
      checked(calls.call(SyscallNumber.MADVISE, address, length, advice));
    }

    @Override
    void lock(long address, long length) throws Exception {
      checked(calls.call(SyscallNumber.MLOCK, address, length));
    }

    @Override
    int openFile() throws Exception {
      // The name stands in the program's data only while it is opened.
      calls.memory().write(
          BareProgram.DATA, (file + "\0").getBytes(StandardCharsets.ISO_8859_1));
      return (int) checked(calls.call(SyscallNumber.OPEN, BareProgram.DATA, OpenFlags.RDWR));
    }

    @Override
    void read(long address) throws Exception {
      assertThat(calls.touchRead(address).ok()).isTrue();
    }

    @Override
    void write(long address) throws Exception {
      assertThat(calls.touchWrite(address).ok()).isTrue();
    }

    @Override
    void clearRefs(int what) throws Exception {
      Files.writeString(Path.of("/proc/" + process.pid() + "/clear_refs"), what + "\n");
    }

    @Override
    ScriptedProcess fork() throws Exception {
      return new OnHost(calls.fork(), file, notes());
    }

    @Override
    void exit() throws Exception {
      process.close();
    }

    @Override
    long[] pagemap(long address, int pages) throws Exception {
      return process.proc().pagemap(address, pages);
    }

    @Override
    String smapsText() throws Exception {
      return process.proc().smaps();
    }

    @Override
    String statusText() throws Exception {
      return process.proc().status();
    }
  }

  /** A process of ours. */
  private static final class OnEngine extends ScriptedProcess {
    private final Kernel kernel;
    private final Task task;
    private final UserMemory memory;
    private final CachedFile file;

    OnEngine(Kernel kernel, Task task, CachedFile file, List<String> notes) {
      super(notes);
      this.kernel = kernel;
      this.task = task;
      this.memory = task.newCpu();
      this.file = file;
    }

    @Override
    long mmap(long length, int prot, int flags, int fd) throws Exception {
      return kernel.vmas().mmap(task, 0, length, prot, flags, fd, 0);
    }

    @Override
    void munmap(long address, long length) throws Exception {
      kernel.vmas().munmap(task, address, length);
    }

    @Override
    void mprotect(long address, long length, int prot) throws Exception {
      kernel.vmas().mprotect(task, address, length, prot);
    }

    @Override
    void madvise(long address, long length, int advice) throws Exception {
      kernel.vmas().madvise(task, address, length, advice);
    }

    @Override
    void lock(long address, long length) throws Exception {
      kernel.vmas().mlock(task, address, length);
    }

    @Override
    int openFile() throws Exception {
      OpenFile unused =
          kernel.files().open(task, 3, file.inode(), AccessMode.READ_WRITE, false);
      // All of it is in memory, as what was just written is on the other side.
      int read = kernel.files().read(
          task, 3, MemorySegment.ofArray(new byte[file.pages * 4096]));
      assertThat(read).isEqualTo(file.pages * 4096);
      return 3;
    }

    @Override
    void read(long address) {
      byte unused = memory.getByte(address);
    }

    @Override
    void write(long address) {
      memory.putByte(address, (byte) 0);
    }

    @Override
    void clearRefs(int what) throws Exception {
      kernel.proc().clearRefs(task, what);
    }

    @Override
    ScriptedProcess fork() throws Exception {
      return new OnEngine(kernel, kernel.tasks().fork(task), file, notes());
    }

    @Override
    void exit() {
      kernel.tasks().exit(task, 0);
    }

    @Override
    long[] pagemap(long address, int pages) {
      return kernel.proc().pagemap(task, address, pages);
    }

    @Override
    String smapsText() {
      return kernel.proc().smaps(task);
    }

    @Override
    String statusText() {
      return kernel.proc().status(task);
    }
  }

  /** A file of zeros, whose pages the engine's page cache keeps. */
  private static final class CachedFile implements MmapProvider, AddressSpaceOperations {
    private final int pages;

    CachedFile(int pages) {
      this.pages = pages;
    }

    Inode inode() {
      return Inode.builder(FileKind.REGULAR, "/file")
          .identity(new DeviceNumber(8, 1), 12)
          .fileSystem("ext4", false)
          .size(pages * 4096L)
          .provider(this)
          .pageCache(this)
          .build();
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      request.setPageCache();
    }

    @Override
    public void readPages(Inode inode, long firstPage, MemorySegment[] into) {
      // They are full of zeros already.
    }

    @Override
    public void writePages(Inode inode, long firstPage, MemorySegment[] from) {
      // Nobody will look.
    }
  }
}
