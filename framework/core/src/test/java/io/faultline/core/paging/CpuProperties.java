// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Whatever a program and its kernel do in whatever order, two processors of one space read what a
 * plain array holds, and fault exactly where the rights say so.
 */
class CpuProperties {
  private static final long BASE = 0x7f00_0000_0000L;
  private static final int PAGES = 5;
  private static final int PAGE = 4096;

  enum Kind {
    MAP, UNMAP, READ_ONLY, NO_ACCESS, READ_WRITE, LOAD, STORE, COMPARE_AND_SET, COPY_OUT, COPY_IN,
    TOUCH
  }

  /** One step; {@code at} is an offset from BASE in bytes, {@code size} of bytes. */
  record Step(Kind kind, boolean secondCpu, int at, int size, long value) {}

  /** The model: bytes and rights. */
  private static final class Model {
    final byte[] bytes = new byte[PAGES * PAGE];
    /** 0 nothing there, 1 no right, 2 read, 3 read and write. */
    final int[] rights = new int[PAGES];

    boolean allows(int page, boolean write) {
      return page < PAGES && rights[page] >= (write ? 3 : 2);
    }

    /** The first byte of a range that may not be accessed, or -1. */
    int firstRefused(int at, int size, boolean write) {
      for (int i = at; i < at + size; i++) {
        if (!allows(i / PAGE, write)) {
          return i;
        }
      }
      return -1;
    }

    ByteBuffer little() {
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  @Property(tries = 1_000, edgeCases = EdgeCasesMode.NONE)
  void processorsAgreeWithAnArray(@ForAll("steps") List<Step> steps) {
    try (PhysicalMemory memory = new PhysicalMemory(1 << 20)) {
      PageTables tables = new PageTables(memory);
      FaultHandler refuse = (address, access) -> {
        throw new SignalException(
            new Siginfo(SignalCode.SEGV_ACCERR, address, access.toString()));
      };
      Cpu[] cpus = {new Cpu(tables, refuse), new Cpu(tables, refuse)};
      Model model = new Model();
      for (Step step : steps) {
        take(step, cpus[step.secondCpu ? 1 : 0], tables, memory, model);
      }
      memory.validate();
    }
  }

  private static void take(
      Step step, Cpu cpu, PageTables tables, PhysicalMemory memory, Model model) {
    int pageIndex = step.at / PAGE;
    long page = BASE + (long) pageIndex * PAGE;
    switch (step.kind) {
      case MAP -> {
        if (model.rights[pageIndex] == 0) {
          tables.set(page, Pte.of(memory.allocate(FrameUse.ANONYMOUS), rights(3), Pte.ANON));
          model.rights[pageIndex] = 3;
          Arrays.fill(model.bytes, pageIndex * PAGE, (pageIndex + 1) * PAGE, (byte) 0);
        }
      }
      case UNMAP -> {
        FrameGather gather = new FrameGather(tables);
        tables.visit(page, page + PAGE, (address, entry) -> {
          gather.add(address, Pte.frame(entry));
          return 0;
        });
        gather.finish();
        model.rights[pageIndex] = 0;
      }
      case READ_ONLY -> protect(pageIndex, 2, tables, model);
      case NO_ACCESS -> protect(pageIndex, 1, tables, model);
      case READ_WRITE -> protect(pageIndex, 3, tables, model);
      default -> access(step, cpu, model);
    }
  }

  private static void protect(int pageIndex, int to, PageTables tables, Model model) {
    if (model.rights[pageIndex] != 0) {
      long page = BASE + (long) pageIndex * PAGE;
      boolean less = to < model.rights[pageIndex];
      tables.visit(page, page + PAGE,
          (address, entry) -> Pte.withProtection(entry, rights(to)));
      if (less) {
        tables.flush(page, page + PAGE);
      }
      model.rights[pageIndex] = to;
    }
  }

  private static long rights(int level) {
    return Pte.protection(level >= 2, level >= 3, false, 0);
  }

  private static void access(Step step, Cpu cpu, Model model) {
    boolean write = step.kind == Kind.STORE || step.kind == Kind.COPY_IN
        || step.kind == Kind.COMPARE_AND_SET || step.kind == Kind.TOUCH;
    int size = switch (step.kind) {
      case COMPARE_AND_SET -> 8;
      case TOUCH -> 1;
      case COPY_IN, COPY_OUT -> step.size;
      default -> 1 << step.size % 4;
    };
    int at = step.kind == Kind.COMPARE_AND_SET ? step.at & -8 : step.at;
    int refused = model.firstRefused(at, size, write);
    try {
      perform(step, cpu, model, at, size);
      assertThat(refused).as("%s is allowed", step).isEqualTo(-1);
    } catch (SignalException e) {
      assertThat(refused).as("%s is refused", step).isNotEqualTo(-1);
      assertThat(e.info().address()).isEqualTo(BASE + refused);
      assertThat(e.info().cause()).isEqualTo((write ? Access.WRITE : Access.READ).toString());
      if (step.kind == Kind.COPY_IN) {
        // What came before the fault is written.
        fill(model, at, refused - at, step.value);
      }
    }
  }

  private static void perform(Step step, Cpu cpu, Model model, int at, int size) {
    long address = BASE + at;
    switch (step.kind) {
      case LOAD -> {
        long value = switch (size) {
          case 1 -> cpu.getByte(address);
          case 2 -> cpu.getShort(address);
          case 4 -> cpu.getInt(address);
          default -> cpu.getLong(address);
        };
        assertThat(value).as("%s", step).isEqualTo(switch (size) {
          case 1 -> model.bytes[at];
          case 2 -> model.little().getShort(at);
          case 4 -> model.little().getInt(at);
          default -> model.little().getLong(at);
        });
      }
      case STORE -> {
        switch (size) {
          case 1 -> {
            cpu.putByte(address, (byte) step.value);
            model.bytes[at] = (byte) step.value;
          }
          case 2 -> {
            cpu.putShort(address, (short) step.value);
            model.little().putShort(at, (short) step.value);
          }
          case 4 -> {
            cpu.putInt(address, (int) step.value);
            model.little().putInt(at, (int) step.value);
          }
          default -> {
            cpu.putLong(address, step.value);
            model.little().putLong(at, step.value);
          }
        }
      }
      case COMPARE_AND_SET -> {
        boolean changed = cpu.compareAndSetLong(address, 0, step.value);
        assertThat(changed).isEqualTo(model.little().getLong(at) == 0);
        if (changed) {
          model.little().putLong(at, step.value);
        }
      }
      case COPY_OUT -> {
        byte[] into = new byte[size];
        cpu.read(address, MemorySegment.ofArray(into));
        assertThat(into).as("%s", step)
            .isEqualTo(Arrays.copyOfRange(model.bytes, at, at + size));
      }
      case COPY_IN -> {
        byte[] from = new byte[size];
        Arrays.fill(from, (byte) step.value);
        cpu.write(address, MemorySegment.ofArray(from));
        fill(model, at, size, step.value);
      }
      case TOUCH -> cpu.touch(address, Access.WRITE);
      default -> throw new AssertionError(step.kind);
    }
  }

  private static void fill(Model model, int at, int size, long value) {
    Arrays.fill(model.bytes, at, at + size, (byte) value);
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<Kind> kind = Arbitraries.of(Kind.MAP, Kind.MAP, Kind.MAP, Kind.UNMAP, Kind.READ_ONLY,
        Kind.NO_ACCESS, Kind.READ_WRITE, Kind.LOAD, Kind.LOAD, Kind.STORE, Kind.STORE, Kind.STORE,
        Kind.COMPARE_AND_SET, Kind.COPY_OUT, Kind.COPY_IN, Kind.TOUCH);
    Arbitrary<Integer> anywhere = Arbitraries.integers().between(0, PAGES * PAGE - 1);
    Arbitrary<Integer> nearAnEdge = Combinators.combine(
        Arbitraries.integers().between(1, PAGES - 1), Arbitraries.integers().between(-9, 8))
        .as((page, off) -> page * PAGE + off);
    Arbitrary<Integer> size = Arbitraries.oneOf(Arbitraries.integers().between(1, 16),
        Arbitraries.integers().between(1, 2 * PAGE));
    return Combinators.combine(kind, Arbitraries.of(true, false),
        Arbitraries.oneOf(anywhere, nearAnEdge, nearAnEdge), size, Arbitraries.longs())
        .as(Step::new).list().ofMinSize(20).ofMaxSize(200);
  }
}
