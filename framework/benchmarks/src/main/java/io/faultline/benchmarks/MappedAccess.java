// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.benchmarks;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.paging.Cpu;
import io.faultline.core.paging.PageTables;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Eight bytes through the software TLB against {@link MemorySegment} itself, at the same random places
 * of 128 pages. Three shapes: one access an invocation; a <em>chain</em>, where each address depends on
 * the last value, as when a list is followed; a <em>stream</em> of independent accesses, which lets a
 * wide processor overlap them.
 */
@SuppressWarnings("NullAway.Init") // JMH calls the set-up before anything else
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 8, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class MappedAccess {
  private static final int PAGES = 128;
  private static final int ACCESSES = 1024;
  private static final long BASE = 0x7f12_3450_0000L;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private PhysicalMemory memory;
  private MemorySegment arena;
  private Cpu cpu;
  private long[] addresses;
  private long[] offsets;
  private int next;

  @Setup(Level.Trial)
  public void map() {
    memory = new PhysicalMemory(64 << 20);
    arena = memory.arena();
    PageTables tables = new PageTables(memory);
    cpu = new Cpu(tables, (address, access) -> {
      throw new IllegalStateException("not mapped: 0x" + Long.toHexString(address));
    });
    long[] frames = new long[PAGES];
    for (int i = 0; i < PAGES; i++) {
      frames[i] = memory.allocate(FrameUse.ANONYMOUS);
      tables.set(BASE + (long) i * Mman.PAGE_SIZE,
          Pte.of(frames[i], Pte.protection(true, true, false, 0), Pte.ANON));
    }
    Random random = new Random(1);
    addresses = new long[ACCESSES];
    offsets = new long[ACCESSES];
    for (int i = 0; i < ACCESSES; i++) {
      int page = random.nextInt(PAGES);
      int offset = random.nextInt(Mman.PAGE_SIZE / 8) * 8;
      addresses[i] = BASE + (long) page * Mman.PAGE_SIZE + offset;
      offsets[i] = frames[page] * Mman.PAGE_SIZE + offset;
      cpu.putLong(addresses[i], 0);
    }
  }

  @TearDown
  public void unmap() {
    memory.close();
  }

  @Benchmark
  public long singleRaw() {
    return arena.get(LONG, offsets[next++ & ACCESSES - 1]);
  }

  @Benchmark
  public long singleMapped() {
    return cpu.getLong(addresses[next++ & ACCESSES - 1]);
  }

  @Benchmark
  @OperationsPerInvocation(ACCESSES)
  public long chainRaw() {
    MemorySegment from = arena;
    long[] at = offsets;
    long value = 0;
    for (int i = 0; i < ACCESSES; i++) {
      value = from.get(LONG, at[i + (int) value]);
    }
    return value;
  }

  @Benchmark
  @OperationsPerInvocation(ACCESSES)
  public long chainMapped() {
    Cpu from = cpu;
    long[] at = addresses;
    long value = 0;
    for (int i = 0; i < ACCESSES; i++) {
      value = from.getLong(at[i + (int) value]);
    }
    return value;
  }

  @Benchmark
  @OperationsPerInvocation(ACCESSES)
  public long streamRaw() {
    MemorySegment from = arena;
    long[] at = offsets;
    long sum = 0;
    for (int i = 0; i < ACCESSES; i++) {
      sum += from.get(LONG, at[i]);
    }
    return sum;
  }

  @Benchmark
  @OperationsPerInvocation(ACCESSES)
  public long streamMapped() {
    Cpu from = cpu;
    long[] at = addresses;
    long sum = 0;
    for (int i = 0; i < ACCESSES; i++) {
      sum += from.getLong(at[i]);
    }
    return sum;
  }

  @Benchmark
  @OperationsPerInvocation(ACCESSES)
  public void storeRaw() {
    MemorySegment to = arena;
    long[] at = offsets;
    for (int i = 0; i < ACCESSES; i++) {
      to.set(LONG, at[i], 0);
    }
  }

  @Benchmark
  @OperationsPerInvocation(ACCESSES)
  public void storeMapped() {
    Cpu to = cpu;
    long[] at = addresses;
    for (int i = 0; i < ACCESSES; i++) {
      to.putLong(at[i], 0);
    }
  }
}
