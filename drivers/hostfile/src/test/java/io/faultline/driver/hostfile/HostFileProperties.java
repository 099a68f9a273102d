// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.hostfile;

import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.MREMAP_FIXED;
import static io.faultline.mm.Mman.MREMAP_MAYMOVE;
import static io.faultline.mm.Mman.MS_SYNC;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.driver.hostfile.HostFileModel.Mapping;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import io.faultline.testkit.BootedKernel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Random histories of several processes over one real file, against {@link HostFileModel}. */
class HostFileProperties {
  private static final int PAGE = HostFileModel.PAGE;
  private static final int MAX_PAGES = 7;

  enum Kind {
    MAP, MAP_MORE, STORE, STORE_MORE, STORE_STILL_MORE, LOAD, LOAD_MORE, READ, WRITE, MSYNC, FSYNC,
    SYNC, TRUNCATE, TRUNCATE_BEHIND_THE_BACK, PROTECT, UNMAP, MOVE, FORK, EXIT
  }

  /** One step; the numbers choose among what there is. */
  record Step(Kind kind, int process, int mapping, int where, int much) {}

  @Provide
  Arbitrary<List<Step>> histories() {
    Arbitrary<Integer> number = Arbitraries.integers().between(0, MAX_PAGES * PAGE);
    return Combinators.combine(
        Arbitraries.of(Kind.class), Arbitraries.integers().between(0, 3),
        Arbitraries.integers().between(0, 5), number, number).as(Step::new)
        .list().ofMinSize(5).ofMaxSize(80);
  }

  @Property(tries = 250)
  void everyHistoryLeavesWhatTheModelSays(
      @ForAll("histories") List<Step> steps, @ForAll("sizes") int size) throws Exception {
    Path folder = Files.createTempDirectory("faultline-hostfile");
    try {
      new History(folder, size).run(steps);
    } finally {
      Files.deleteIfExists(folder.resolve("file"));
      Files.delete(folder);
    }
  }

  /** One that random histories meet rarely. */
  @Example
  void aMappingOfAHoleBehindWhatIsStored() throws Exception {
    everyHistoryLeavesWhatTheModelSays(
        List.of(
            new Step(Kind.MAP, 0, 0, PAGE, 4), new Step(Kind.TRUNCATE, 0, 0, 0, 0),
            new Step(Kind.WRITE, 0, 0, 3 * PAGE + 100, 26), new Step(Kind.UNMAP, 0, 0, 0, 0)),
        3 * PAGE - 1);
  }

  @Provide
  Arbitrary<Integer> sizes() {
    return Arbitraries.oneOf(
        Arbitraries.of(0, 1, PAGE, PAGE + 1, 3 * PAGE - 1),
        Arbitraries.integers().between(0, 5 * PAGE));
  }

  /** The real thing beside the model. */
  private static final class History {
    private final Path file;
    private final HostFileModel model;
    private final List<Task> tasks = new ArrayList<>();
    private final List<UserMemory> memories = new ArrayList<>();
    private final BootedKernel kernel = BootedKernel.boot(16 << 20, KernelProfile.LINUX_6_18);
    private int fd;
    private byte next;

    History(Path folder, int size) throws IOException {
      file = folder.resolve("file");
      byte[] content = new byte[size];
      for (int i = 0; i < size; i++) {
        content[i] = (byte) (i * 31 + i / PAGE);
      }
      Files.write(file, content);
      model = new HostFileModel(content);
    }

    void run(List<Step> steps) throws Exception {
      HostFiles driver =
          new HostFiles(
              Map.of("data", new Root("data", file.getParent().toRealPath(), true)), "/host");
      AutoCloseable mount =
          kernel.devices().mount("/host", DeviceRegistration.of("hostfile"), driver);
      Task first = kernel.tasks().spawn("first");
      tasks.add(first);
      memories.add(first.newCpu());
      fd = kernel.files().open(first, "/host/data/file", AccessMode.READ_WRITE);
      for (Step step : steps) {
        if (tasks.isEmpty()) {
          break;
        }
        take(step);
        kernel.validate();
      }
      for (Task task : tasks) {
        kernel.tasks().exit(task, 0);
      }
      assertThat(Files.readAllBytes(file)).isEqualTo(model.file);
      assertThat(kernel.files().pageCache().cached()).isZero();
      mount.close();
      driver.deactivate();
      kernel.close();
      assertThat(kernel.problems()).isEmpty();
    }

    private void take(Step step) throws Exception {
      int process = step.process % tasks.size();
      Task task = tasks.get(process);
      List<Mapping> mappings = model.processes.get(process);
      Mapping mapping = mappings.isEmpty() ? null : mappings.get(step.mapping % mappings.size());
      switch (step.kind) {
        case MAP, MAP_MORE -> map(task, mappings, step);
        case READ -> read(task, step.where, step.much % (2 * PAGE));
        case WRITE -> write(task, step.where % (5 * PAGE), step.much % (2 * PAGE));
        case FSYNC -> {
          kernel.files().fsync(task, fd);
          assertStored();
        }
        case SYNC -> {
          kernel.files().sync();
          assertStored();
        }
        case TRUNCATE -> {
          kernel.files().ftruncate(task, fd, step.where);
          model.truncate(step.where);
          assertThat(Files.size(file)).isEqualTo(step.where);
        }
        case TRUNCATE_BEHIND_THE_BACK -> truncateBehindTheBack(task, step.where);
        case FORK -> {
          if (tasks.size() < 4) {
            Task child = kernel.tasks().fork(task);
            tasks.add(child);
            memories.add(child.newCpu());
            model.fork(process);
          }
        }
        case EXIT -> {
          if (tasks.size() > 1) {
            kernel.tasks().exit(task, 0);
            tasks.remove(process);
            memories.remove(process);
            model.processes.remove(process);
          }
        }
        default -> {
          if (mapping != null) {
            use(step, task, memories.get(process), mappings, mapping);
          }
        }
      }
    }

    private void use(
        Step step, Task task, UserMemory memory, List<Mapping> mappings, Mapping mapping)
        throws Exception {
      int offset = step.where % (mapping.pages * PAGE);
      long bytes = (long) mapping.pages * PAGE;
      switch (step.kind) {
        case LOAD, LOAD_MORE -> load(memory, mapping, offset);
        case STORE, STORE_MORE, STORE_STILL_MORE -> store(memory, mapping, offset);
        case MSYNC -> {
          kernel.vmas().msync(task, mapping.address, bytes, MS_SYNC);
          if (mapping.shared) {
            assertStored(mapping);
          }
        }
        case PROTECT -> {
          mapping.writable = !mapping.writable;
          kernel.vmas().mprotect(
              task, mapping.address, bytes, PROT_READ | (mapping.writable ? PROT_WRITE : 0));
        }
        case UNMAP -> {
          kernel.vmas().munmap(task, mapping.address, bytes);
          mappings.remove(mapping);
          if (mapping.shared) {
            assertStored(mapping);
          }
        }
        case MOVE -> {
          // To a place that is free for certain: a mapping of other memory that is thrown away.
          long target = kernel.vmas().mmap(
              task, 0, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          kernel.vmas().mremap(
              task, mapping.address, bytes, bytes,
              MREMAP_MAYMOVE | MREMAP_FIXED, target);
          Mapping moved = new Mapping(target, mapping.firstPage, mapping.pages, mapping.shared);
          moved.writable = mapping.writable;
          moved.copies.putAll(mapping.copies);
          mappings.set(mappings.indexOf(mapping), moved);
        }
        default -> throw new IllegalStateException(step.toString());
      }
    }

    private void map(Task task, List<Mapping> mappings, Step step) throws ErrnoException {
      int firstPage = step.where / PAGE % 5;
      int pages = 1 + step.much % 4;
      boolean shared = step.much / 4 % 3 != 0;
      long address =
          kernel.vmas().mmap(
              task, 0, (long) pages * PAGE, PROT_READ | PROT_WRITE,
              shared ? MAP_SHARED : MAP_PRIVATE, fd, (long) firstPage * PAGE);
      mappings.add(new Mapping(address, firstPage, pages, shared));
    }

    private void load(UserMemory memory, Mapping mapping, int offset) {
      try {
        byte value = memory.getByte(mapping.address + offset);
        assertThat(model.inFile(mapping, offset)).isTrue();
        assertThat(value).isEqualTo(model.load(mapping, offset));
      } catch (SignalException signal) {
        assertThat(signal.info().code()).isEqualTo(SignalCode.BUS_ADRERR);
        assertThat(model.inFile(mapping, offset)).isFalse();
      }
    }

    private void store(UserMemory memory, Mapping mapping, int offset) {
      byte value = ++next;
      boolean reachable = model.inFile(mapping, offset);
      boolean behindEnd =
          mapping.shared && reachable
              && mapping.firstPage * PAGE + offset >= model.file.length;
      if (behindEnd) {
        // What becomes of these bytes depends on when the page is written back.
        return;
      }
      try {
        memory.putByte(mapping.address + offset, value);
        assertThat(mapping.writable && reachable).isTrue();
        assertThat(model.store(mapping, offset, value)).isTrue();
      } catch (SignalException signal) {
        assertThat(signal.info().code())
            .isEqualTo(mapping.writable ? SignalCode.BUS_ADRERR : SignalCode.SEGV_ACCERR);
        assertThat(mapping.writable && reachable).isFalse();
      }
    }

    private void read(Task task, int at, int length) throws ErrnoException {
      byte[] bytes = new byte[length];
      kernel.files().seek(task, fd, at);
      int count = kernel.files().read(task, fd, MemorySegment.ofArray(bytes));
      int expected = Math.clamp((long) model.file.length - at, 0, length);
      assertThat(count).isEqualTo(expected);
      assertThat(Arrays.copyOf(bytes, count))
          .isEqualTo(
              expected == 0 ? new byte[0] : Arrays.copyOfRange(model.file, at, at + expected));
    }

    private void write(Task task, int at, int length) throws ErrnoException {
      byte[] bytes = new byte[length];
      Arrays.fill(bytes, ++next);
      kernel.files().seek(task, fd, at);
      assertThat(kernel.files().write(task, fd, MemorySegment.ofArray(bytes))).isEqualTo(length);
      model.write(at, bytes);
    }

    /** Another program cuts the file off, or makes it longer; the next fsync notices. */
    private void truncateBehindTheBack(Task task, int size) throws Exception {
      kernel.files().fsync(task, fd);
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        if (size < channel.size()) {
          channel.truncate(size);
        } else if (size > channel.size()) {
          channel.write(ByteBuffer.allocate(1), size - 1);
        }
      }
      kernel.files().fsync(task, fd);
      model.truncate(size);
      assertStored();
    }

    private void assertStored() throws IOException {
      assertThat(Files.readAllBytes(file)).isEqualTo(model.file);
    }

    private void assertStored(Mapping mapping) throws IOException {
      byte[] stored = Files.readAllBytes(file);
      int from = mapping.firstPage * PAGE;
      int to = Math.min(from + mapping.pages * PAGE, model.file.length);
      if (from < to) {
        // What a write has left out is stored with the page behind it: until then the file is shorter.
        byte[] withHole = Arrays.copyOf(stored, Math.max(stored.length, to));
        assertThat(Arrays.copyOfRange(withHole, from, to))
            .isEqualTo(Arrays.copyOfRange(model.file, from, to));
      }
    }
  }
}
