// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.benchmarks;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.paging.Cpu;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.PageTables;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Mman;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What frames, entries and flushes cost, below areas and drivers: the floor of each fault. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 8, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@SuppressWarnings("NullAway.Init") // JMH calls map() first.
public class PageCosts {
  private static final long BASE = 0x7f12_3450_0000L;
  /** Two pages that share a slot of the TLB. */
  private static final long OTHER = BASE + 256L * Mman.PAGE_SIZE;
  private static final long RIGHTS = Pte.protection(true, true, false, 0);

  private PhysicalMemory memory;
  private PageTables tables;
  private Cpu cpu;

  @Setup(Level.Trial)
  public void map() {
    memory = new PhysicalMemory(64 << 20);
    tables = new PageTables(memory);
    cpu = new Cpu(tables, (address, access) -> install(address & -Mman.PAGE_SIZE));
    cpu.putLong(BASE, 1);
    cpu.putLong(OTHER, 1);
  }

  private void install(long page) {
    tables.compareAndSet(page, Pte.NONE,
        Pte.of(memory.allocate(FrameUse.ANONYMOUS), RIGHTS, Pte.ANON | Pte.ACCESSED | Pte.DIRTY));
  }

  private void zap(long page) {
    FrameGather gather = new FrameGather(tables);
    tables.visit(page, page + Mman.PAGE_SIZE, (address, entry) -> {
      gather.add(address, Pte.frame(entry));
      return Pte.NONE;
    });
    gather.finish();
  }

  @TearDown
  public void unmap() {
    memory.close();
  }

  /** A frame handed out, cleared, and taken back. */
  @Benchmark
  public long allocateAndPut() {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    memory.put(frame);
    return frame;
  }

  /** Two loads that each have to walk the page tables. */
  @Benchmark
  public long twoMisses() {
    return cpu.getLong(BASE) + cpu.getLong(OTHER);
  }

  /** An entry changed and the TLB told. */
  @Benchmark
  public long flushAndMiss() {
    tables.flush(BASE, BASE + Mman.PAGE_SIZE);
    return cpu.getLong(BASE);
  }

  /** A page faulted in by a store, and unmapped. */
  @Benchmark
  public void faultStoreAndZap() {
    cpu.putLong(BASE + 4096, 1);
    zap(BASE + 4096);
  }
}
