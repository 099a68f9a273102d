// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.benchmarks;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaTree;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The areas of one address space: the tree against {@link TreeMap}, made in the same random order.
 *
 * <p>Addresses are uniform over all areas. {@code probes} is how many different ones are asked in
 * turn. With many of them no search is like the one before, as in the life of a program; among a
 * million areas nearly each then goes to memory. With few of them the caches hold what they need, and
 * the processor learns by heart which way each comparison of a binary tree goes: read those numbers
 * for the growth with the number of areas, not for the comparison.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 8, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "-Xmx2g")
public class AreaTreeBenchmark {
  private static final long PAGE = 4096;
  private static final long MMAP_BASE = 0x7fff_f7ff_f000L;

  /** Areas in the space. */
  @Param({"1000", "60000", "1000000"}) int areas;

  /** Different addresses asked for; a power of two. */
  @Param({"1024", "262144"}) int probes;

  private final AreaTree tree = new AreaTree();
  private final TreeMap<Long, Area> map = new TreeMap<>();
  private long[] addresses = {};
  private Area[] removable = {};
  private int next;

  /** Areas of one to four pages with gaps of none to three, downwards from the mmap base. */
  @Setup
  public void map() {
    Random random = new Random(1);
    List<Area> all = new ArrayList<>();
    long top = MMAP_BASE;
    for (int i = 0; i < areas; i++) {
      long end = top - PAGE * random.nextInt(4);
      long start = end - PAGE * (1 + random.nextInt(4));
      all.add(new Area(1, start, end, 0, 0, null));
      top = start;
    }
    Collections.shuffle(all, random);
    for (Area area : all) {
      tree.insert(area);
      map.put(area.start(), area);
    }
    addresses = new long[probes];
    removable = new Area[probes];
    for (int i = 0; i < probes; i++) {
      Area area = all.get(random.nextInt(areas));
      addresses[i] = area.start() + random.nextInt((int) (area.end() - area.start()));
      removable[i] = area;
    }
  }

  private int probe() {
    next = (next + 1) & (probes - 1);
    return next;
  }

  /** {@code find_vma}. */
  @Benchmark
  public @Nullable Area find() {
    return tree.find(addresses[probe()]);
  }

  /** What {@link #find} is compared with. */
  @Benchmark
  public Map.@Nullable Entry<Long, Area> treeMapFloorEntry() {
    return map.floorEntry(addresses[probe()]);
  }

  /** As the fault path does it: without the lock, checked afterwards. */
  @Benchmark
  public @Nullable Area findAtWithStamp() {
    long stamp = tree.stamp();
    Area area = tree.findAt(addresses[probe()]);
    return tree.unchangedSince(stamp) ? area : null;
  }

  /** An area goes and comes back: two changes of the tree. */
  @Benchmark
  public void removeAndInsert() {
    Area area = removable[probe()];
    tree.remove(area);
    tree.insert(area);
  }

  /** What {@link #removeAndInsert} is compared with. */
  @Benchmark
  public void treeMapRemoveAndPut() {
    Area area = removable[probe()];
    map.remove(area.start());
    map.put(area.start(), area);
  }

  /** An area shrinks by a page and grows back. */
  @Benchmark
  public void resizeTwice() {
    Area area = removable[probe()];
    long end = area.end();
    tree.resize(area, area.start(), end - PAGE / 2);
    tree.resize(area, area.start(), end);
  }

  /** Top-down search for three pages below an address, as mmap does it. */
  @Benchmark
  public long highestGapEnd() {
    return tree.highestGapEnd(PAGE, addresses[probe()], 3 * PAGE);
  }
}
