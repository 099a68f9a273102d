// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static io.faultline.mm.Mman.MADV_COLD;
import static io.faultline.mm.Mman.MADV_DONTNEED;
import static io.faultline.mm.Mman.MADV_FREE;
import static io.faultline.mm.Mman.MADV_GUARD_INSTALL;
import static io.faultline.mm.Mman.MADV_GUARD_REMOVE;
import static io.faultline.mm.Mman.MADV_HUGEPAGE;
import static io.faultline.mm.Mman.MADV_POPULATE_WRITE;
import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PROT_NONE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.host.ptrace.BareProgram;
import io.faultline.host.ptrace.TracedProcess;
import io.faultline.host.ptrace.Tracer;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@code /proc} says of memory that was touched in the same way: a real child of this machine
 * against a process of the engine. Elsewhere than on the engine's own kernel it is skipped with one
 * line.
 */
@FaultlineTest(memory = 64 << 20)
class ProcDifferenceTest {
  private static final int PAGE = 4096;
  private static final int READ_WRITE = PROT_READ | PROT_WRITE;
  private static final int PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS;
  private static final int SHARED = MAP_SHARED | MAP_ANONYMOUS;
  private static final int FILE_PAGES = 24;
  /** 8 MiB: what Linux's counters lag behind for each processor is small beside it. */
  private static final int BIG = 2048;

  /** The lines of smaps that are compared: all that depend on what was touched. */
  private static final List<String> LINES =
      List.of("Size", "Rss", "Pss", "Pss_Dirty", "Shared_Clean", "Shared_Dirty", "Private_Clean",
          "Private_Dirty", "Referenced", "Anonymous", "LazyFree", "Swap", "SwapPss", "Locked",
          "THPeligible", "VmFlags");

  /** The bits of pagemap that are compared: exclusive, guard, file, swap, present. */
  private static final long BITS = 1L << 56 | 1L << 58 | 1L << 61 | 1L << 62 | 1L << 63;

  @TempDir private Path directory;

  @BeforeAll
  static void onTheKernelThatTheEngineIs() {
    OwnKernel.assumeItIsTheEngines("/proc against the real kernel");
  }

  /** What both do. */
  @FunctionalInterface
  private interface Script {
    void run(ScriptedProcess process) throws Exception;
  }

  /** Runs a script on both kernels; everything that it looked at must be the same. */
  private void same(Kernel kernel, Script script) throws Exception {
    List<String> ours = new ArrayList<>();
    try (ScriptedProcess process = ScriptedProcess.onEngine(kernel, FILE_PAGES, ours)) {
      script.run(process);
    }
    Path program = BareProgram.writeTo(directory.resolve("target"));
    List<String> real = Tracer.onOwnThread("proc", tracer -> {
      List<String> seen = new ArrayList<>();
      try (TracedProcess child = tracer.launch(BareProgram.launch(program))) {
        child.shareProcessor();
        script.run(ScriptedProcess.onHost(child, file(), seen));
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      return seen;
    });
    assertThat(real).as("what the script looked at").isNotEmpty();
    assertThat(ours).isEqualTo(real);
  }

  /** A clean file in the page cache, one folio a page: written page by page, and on the disk. */
  private Path file() throws Exception {
    Path file = directory.resolve("file");
    if (!Files.exists(file)) {
      try (FileChannel channel = FileChannel.open(
          file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        for (int i = 0; i < FILE_PAGES; i++) {
          channel.write(ByteBuffer.allocate(PAGE).put(0, (byte) i));
        }
        channel.force(true);
      }
    }
    return file;
  }

  /** Notes the lines of smaps and the words of pagemap of an area. */
  private static void look(ScriptedProcess process, String when, long address, int pages)
      throws Exception {
    Map<String, String> area = process.smaps(address);
    StringBuilder seen = new StringBuilder(when);
    for (String line : LINES) {
      seen.append("\n  ").append(line).append(": ").append(area.get(line));
    }
    for (long word : process.pagemap(address, pages)) {
      seen.append("\n  ").append(Long.toHexString(word & BITS));
    }
    process.note(seen.toString());
  }

  @Test
  void privateMemory(Kernel kernel) throws Exception {
    same(kernel, p -> {
      long a = p.mmap(8 * PAGE, READ_WRITE, PRIVATE, -1);
      look(p, "untouched", a, 8);
      p.read(a);
      p.read(a + PAGE);
      look(p, "read: the page of zeros", a, 8);
      p.write(a + PAGE);
      p.write(a + 2 * PAGE);
      look(p, "written, one of them after a read", a, 8);
      p.mprotect(a, 8 * PAGE, PROT_READ);
      look(p, "read-only", a, 8);
      p.mprotect(a, 8 * PAGE, PROT_NONE);
      look(p, "forbidden", a, 8);
      p.mprotect(a, 8 * PAGE, READ_WRITE);
      p.write(a + 3 * PAGE);
      look(p, "allowed again", a, 8);
      p.madvise(a, 3 * PAGE, MADV_DONTNEED);
      look(p, "some thrown away", a, 8);
      p.lock(a, 8 * PAGE);
      look(p, "locked", a, 8);
    });
  }

  @Test
  void sharedMemory(Kernel kernel) throws Exception {
    same(kernel, p -> {
      long a = p.mmap(8 * PAGE, READ_WRITE, SHARED, -1);
      p.read(a);
      look(p, "read", a, 8);
      p.write(a + PAGE);
      look(p, "written", a, 8);
      ScriptedProcess child = p.fork();
      look(child, "child: nothing is mapped yet", a, 8);
      child.read(a + PAGE);
      look(child, "child has read what the parent wrote", a, 8);
      look(p, "parent shares it", a, 8);
      child.write(a + PAGE);
      child.read(a + 3 * PAGE);
      child.write(a + 3 * PAGE);
      child.write(a + 2 * PAGE);
      look(p, "parent has not seen what the child wrote", a, 8);
      p.read(a + 2 * PAGE);
      look(p, "parent has read it", a, 8);
      child.exit();
      look(p, "parent is alone", a, 8);
      p.read(a + 3 * PAGE);
      look(p, "what the child wrote is dirty, though the child is gone", a, 8);
    });
  }

  @Test
  void pagesThatNeedNotBeKept(Kernel kernel) throws Exception {
    same(kernel, p -> {
      long other = p.mmap(PAGE, READ_WRITE, PRIVATE, -1);
      long a = p.mmap(6 * PAGE, READ_WRITE, PRIVATE, -1);
      for (int i = 0; i < 6; i++) {
        p.write(a + i * PAGE);
      }
      p.madvise(a, 4 * PAGE, MADV_FREE);
      // Linux marks the pages when their batch is drained, which other advice does.
      p.madvise(other, PAGE, MADV_COLD);
      look(p, "four are given up", a, 6);
      p.write(a + PAGE);
      look(p, "one of them is kept after all", a, 6);
    });
  }

  @Test
  void copyOnWrite(Kernel kernel) throws Exception {
    same(kernel, p -> {
      long a = p.mmap(6 * PAGE, READ_WRITE, PRIVATE, -1);
      for (int i = 0; i < 5; i++) {
        p.write(a + i * PAGE);
      }
      ScriptedProcess child = p.fork();
      look(p, "parent shares all", a, 6);
      look(child, "child shares all, and has used nothing", a, 6);
      ScriptedProcess grandchild = child.fork();
      look(p, "a third each", a, 6);
      child.write(a);
      p.write(a + PAGE);
      grandchild.read(a + 2 * PAGE);
      look(p, "parent after a copy", a, 6);
      look(child, "child after a copy", a, 6);
      look(grandchild, "grandchild after a read", a, 6);
      child.exit();
      look(p, "parent after one left", a, 6);
      grandchild.exit();
      look(p, "parent is alone", a, 6);
      p.write(a + 2 * PAGE);
      look(p, "the last owner writes", a, 6);
    });
  }

  @Test
  void lockedMemoryIsSharedOutToo(Kernel kernel) throws Exception {
    same(kernel, p -> {
      long a = p.mmap(4 * PAGE, READ_WRITE, PRIVATE, -1);
      p.write(a);
      p.lock(a, 3 * PAGE);
      look(p, "locked", a, 3);
      ScriptedProcess child = p.fork();
      look(p, "locked, and shared with a child", a, 3);
      child.exit();
    });
  }

  @Test
  void privateFile(Kernel kernel) throws Exception {
    same(kernel, p -> {
      int fd = p.openFile();
      long a = p.mmap(FILE_PAGES * PAGE, READ_WRITE, MAP_PRIVATE, fd);
      look(p, "untouched", a, FILE_PAGES);
      p.read(a + 2 * PAGE);
      look(p, "read: what is in memory round it is mapped too", a, FILE_PAGES);
      p.write(a + 3 * PAGE);
      p.write(a + 20 * PAGE);
      look(p, "written: copies", a, FILE_PAGES);
      long b = p.mmap(FILE_PAGES * PAGE, PROT_READ, MAP_PRIVATE, fd);
      p.read(b);
      look(p, "a second mapping", b, FILE_PAGES);
      look(p, "the first one shares", a, FILE_PAGES);
      ScriptedProcess child = p.fork();
      look(child, "child: copied pages and no others", b, FILE_PAGES);
      child.read(b + PAGE);
      look(child, "child has read", b, FILE_PAGES);
      look(p, "parent", b, FILE_PAGES);
      child.exit();
      p.madvise(a, 8 * PAGE, MADV_DONTNEED);
      look(p, "thrown away", a, FILE_PAGES);
    });
  }

  @Test
  void sharedFile(Kernel kernel) throws Exception {
    same(kernel, p -> {
      int fd = p.openFile();
      long a = p.mmap(FILE_PAGES * PAGE, READ_WRITE, MAP_SHARED, fd);
      p.read(a);
      look(p, "read", a, FILE_PAGES);
      p.write(a + PAGE);
      p.write(a + 17 * PAGE);
      look(p, "written", a, FILE_PAGES);
    });
  }

  @Test
  void whatIsUsedAgainAfterClearRefs(Kernel kernel) throws Exception {
    same(kernel, p -> {
      long a = p.mmap(4 * PAGE, READ_WRITE, PRIVATE, -1);
      long s = p.mmap(4 * PAGE, READ_WRITE, SHARED, -1);
      for (int i = 0; i < 4; i++) {
        p.write(a + i * PAGE);
        p.write(s + i * PAGE);
      }
      p.clearRefs(1);
      look(p, "private", a, 4);
      look(p, "shared", s, 4);
      // Linux leaves the processor's TLB alone, and does not see what is used through it.
      for (long area : new long[] {a, s}) {
        p.mprotect(area, 4 * PAGE, PROT_READ);
        p.mprotect(area, 4 * PAGE, READ_WRITE);
      }
      p.read(a);
      p.write(a + PAGE);
      p.write(s + 2 * PAGE);
      look(p, "private, used again", a, 4);
      look(p, "shared, used again", s, 4);
    });
  }

  @Test
  void guardsAndAdvice(Kernel kernel) throws Exception {
    same(kernel, p -> {
      long a = p.mmap(8 * PAGE, READ_WRITE, PRIVATE, -1);
      p.write(a);
      p.madvise(a, 2 * PAGE, MADV_GUARD_INSTALL);
      p.write(a + 4 * PAGE);
      look(p, "guarded", a, 8);
      p.madvise(a, PAGE, MADV_GUARD_REMOVE);
      look(p, "one guard less", a, 8);
      long huge = p.mmap(6 << 20, READ_WRITE, PRIVATE, -1);
      p.madvise(huge, 6 << 20, MADV_HUGEPAGE);
      look(p, "would take huge pages", huge, 1);
    });
  }

  @Test
  void countersOfTheWholeProcess(Kernel kernel) throws Exception {
    same(kernel, p -> {
      // The program's own pages come first.
      p.write(p.mmap(PAGE, READ_WRITE, PRIVATE, -1));
      Map<String, Long> before = p.status();
      long a = p.mmap(BIG * PAGE, READ_WRITE, PRIVATE, -1);
      long s = p.mmap(8 * PAGE, READ_WRITE, SHARED, -1);
      p.madvise(a, BIG * PAGE, MADV_POPULATE_WRITE);
      p.write(s);
      p.lock(s, 2 * PAGE);
      p.note("after touches: " + p.statusSince(before));
      p.munmap(a, BIG / 2 * PAGE);
      p.note("after munmap: " + p.statusSince(before));
      p.clearRefs(5);
      p.note("after clear_refs: " + p.statusSince(before));
      p.munmap(s, 8 * PAGE);
      p.note("after all: " + p.statusSince(before));
    });
  }
}
