// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Mman;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The page tables of one address space: four levels of 512 entries for 48 bits of address, as on
 * x86-64. All addresses are in bytes, all ranges half-open and aligned to pages.
 *
 * <p>Reading takes no lock and is safe against writers. Each write locks one leaf table, as Linux's
 * split page-table lock does; no other lock is taken while it is held.
 *
 * <p>An entry that was cleared or lost rights may still be used by a {@link Cpu} until {@link #flush}
 * has returned: only then may the frame be freed ({@link FrameGather}).
 */
public final class PageTables {
  private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Object[].class);
  private static final int FANOUT = 512;
  private static final int INDEX = FANOUT - 1;
  private static final int PTE_SHIFT = Mman.PAGE_SHIFT;
  private static final int PMD_SHIFT = PTE_SHIFT + 9;
  private static final int PUD_SHIFT = PMD_SHIFT + 9;
  private static final int PGD_SHIFT = PUD_SHIFT + 9;
  /** Bytes that one last-level table covers. */
  private static final long LEAF_SPAN = 1L << PMD_SHIFT;
  /** First address that no table can hold. */
  private static final long END = 1L << PGD_SHIFT + 9;

  private final PhysicalMemory memory;
  private final Object[] root = new Object[FANOUT];
  private final AtomicLong tables = new AtomicLong();
  private final TableFrames tableFrames;
  private final AtomicLong generation = new AtomicLong();
  private final LongAdder resident = new LongAdder();
  private final AtomicLong highWater = new AtomicLong();
  /** Of the Cpus of this space. Replaced whole, with this held. */
  private volatile List<WeakReference<Tlb>> tlbs = List.of();
  private volatile int pkru;

  /**
   * @param memory whose frames the entries name
   */
  public PageTables(PhysicalMemory memory) {
    this.memory = memory;
    this.tableFrames = new TableFrames(memory);
  }

  /** Whose frames the entries name. */
  public PhysicalMemory memory() {
    return memory;
  }

  /** The entry for an address; 0 when there is none, and for every address outside of 48 bits. */
  public long get(long address) {
    LeafTable leaf = leaf(address);
    return leaf == null ? 0 : leaf.get(pteIndex(address));
  }

  /**
   * Writes an entry, making tables as needed.
   *
   * @throws IllegalArgumentException when the address has more than 48 bits
   */
  public void set(long address, long entry) {
    while (true) {
      LeafTable leaf = entry == 0 ? leaf(address) : makeLeaf(address);
      if (leaf == null) {
        return;
      }
      synchronized (leaf) {
        if (!leaf.isDetached()) {
          leaf.set(pteIndex(address), entry);
          return;
        }
      }
    }
  }

  /**
   * Writes an entry if it is still the expected one.
   *
   * @param expected 0 for none
   * @return whether it was written
   */
  public boolean compareAndSet(long address, long expected, long entry) {
    while (true) {
      LeafTable leaf = entry == 0 ? leaf(address) : makeLeaf(address);
      if (leaf == null) {
        return expected == 0;
      }
      synchronized (leaf) {
        if (!leaf.isDetached()) {
          if (leaf.get(pteIndex(address)) != expected) {
            return false;
          }
          leaf.set(pteIndex(address), entry);
          return true;
        }
      }
    }
  }

  /**
   * As {@link #compareAndSet}, for an entry that is there; never makes a table. May be called without
   * the address space's lock.
   *
   * @param expected not 0
   */
  public boolean replace(long address, long expected, long entry) {
    LeafTable leaf = leaf(address);
    return leaf != null && leaf.replace(pteIndex(address), expected, entry);
  }

  /**
   * Shows the visitor every entry of a range that is not 0, each once, in ascending order, and writes
   * what it answers. Empty tables are passed over. Does not flush.
   */
  public void visit(long start, long end, EntryVisitor visitor) {
    long address = start;
    while (Long.compareUnsigned(address, Math.min(end, END)) < 0) {
      Object[] table = root;
      LeafTable leaf = null;
      int shift = PGD_SHIFT;
      while (true) {
        Object next = SLOT.getAcquire(table, (int) (address >>> shift) & INDEX);
        if (next == null) {
          break;
        }
        if (next instanceof LeafTable l) {
          leaf = l;
          break;
        }
        table = (Object[]) next;
        shift -= 9;
      }
      long tableEnd = Math.min(end, (address >>> shift) + 1 << shift);
      if (leaf != null) {
        visitLeaf(leaf, address, tableEnd, visitor);
      }
      address = tableEnd;
    }
  }

  private static void visitLeaf(LeafTable leaf, long start, long end, EntryVisitor visitor) {
    synchronized (leaf) {
      int left = leaf.used();
      for (long address = start; left > 0 && address < end; address += Mman.PAGE_SIZE) {
        int i = pteIndex(address);
        long entry = leaf.get(i);
        if (entry != 0) {
          left--;
          long after = visitor.visit(address, entry);
          if (after != entry) {
            leaf.set(i, after);
          }
        }
      }
    }
  }

  /**
   * Drops the tables that hold no entry and cover addresses of the range, {@code free_pgtables}: a
   * table that also covers addresses outside of {@code [floor, ceiling)} is left, since a neighbour
   * may use it.
   *
   * <p>Precondition: nobody sets entries between floor and ceiling at the same time.
   *
   * @param floor end of the neighbour below, or 0
   * @param ceiling start of the neighbour above, or 0 for none
   */
  public void freeTables(long start, long end, long floor, long ceiling) {
    long top = ceiling == 0 ? END : Math.min(ceiling, END);
    freeBelow(root, PGD_SHIFT, 0, start, Math.min(end, END), floor, top);
  }

  private void freeBelow(
      Object[] table, int shift, long base, long start, long end, long floor, long ceiling) {
    int first = (int) Math.max(0, start - base >> shift);
    int last = (int) Math.min(INDEX, end - 1 - base >> shift);
    for (int i = first; i <= last; i++) {
      Object child = table[i];
      if (child == null) {
        continue;
      }
      long childBase = base + ((long) i << shift);
      long childEnd = childBase + (1L << shift);
      if (child instanceof LeafTable leaf) {
        if (childBase >= floor && childEnd <= ceiling) {
          synchronized (leaf) {
            if (leaf.isEmpty()) {
              leaf.detach();
              SLOT.setRelease(table, i, null);
              tables.decrementAndGet();
              tableFrames.remove();
            }
          }
        }
      } else {
        Object[] lower = (Object[]) child;
        freeBelow(lower, shift - 9, childBase, start, end, floor, ceiling);
        if (childBase >= floor && childEnd <= ceiling && isEmpty(lower)) {
          SLOT.setRelease(table, i, null);
          tables.decrementAndGet();
          tableFrames.remove();
        }
      }
    }
  }

  private static boolean isEmpty(Object[] table) {
    for (Object o : table) {
      if (o != null) {
        return false;
      }
    }
    return true;
  }

  /**
   * Moves all entries of a range to another place, as mremap does, and flushes the old range. Where
   * both places are aligned to 2 MiB, whole tables move.
   *
   * <p>Precondition: the ranges do not overlap, the target has no entries, and nobody else sets
   * entries in either.
   *
   * @param length in bytes
   */
  public void move(long old, long length, long target) {
    long done = 0;
    while (done < length) {
      long from = old + done;
      long to = target + done;
      long step =
          Math.min(
              length - done,
              Math.min(LEAF_SPAN - (from & LEAF_SPAN - 1), LEAF_SPAN - (to & LEAF_SPAN - 1)));
      if (step != LEAF_SPAN || !moveLeaf(from, to)) {
        long by = target - old;
        if (leaf(from) != null) {
          // As Linux does, even where there is no entry to be moved: MADV_COLLAPSE shows it.
          LeafTable unused = makeLeaf(to);
        }
        visit(from, from + step, (address, entry) -> {
          set(address + by, entry);
          return 0;
        });
      }
      done += step;
    }
    flush(old, old + length);
  }

  /** Moves a last-level table if there is none in its new place. */
  private boolean moveLeaf(long from, long to) {
    LeafTable leaf = leaf(from);
    if (leaf == null) {
      return true;
    }
    Object[] source = makeLast(from);
    Object[] target = makeLast(to);
    int slot = (int) (to >>> PMD_SHIFT) & INDEX;
    if (SLOT.getAcquire(target, slot) != null) {
      return false;
    }
    SLOT.setRelease(source, (int) (from >>> PMD_SHIFT) & INDEX, null);
    SLOT.setRelease(target, slot, leaf);
    return true;
  }

  /**
   * Makes every Cpu of this space forget what it knew about a range: the TLB shootdown. When it
   * returns, no access through an entry that was changed before is under way or can begin.
   */
  public void flush(long start, long end) {
    if (start >= end) {
      return;
    }
    long from = start & -Mman.PAGE_SIZE;
    generation.incrementAndGet();
    VarHandle.fullFence();
    List<WeakReference<Tlb>> all = tlbs;
    List<Tlb> remote = null;
    for (int i = 0; i < all.size(); i++) {
      Tlb tlb = all.get(i).get();
      if (tlb != null && tlb.invalidate(from, end)) {
        if (remote == null) {
          remote = new ArrayList<>(2);
        }
        remote.add(tlb);
      }
    }
    if (remote != null) {
      HeavyBarrier.BEST.run();
      for (Tlb tlb : remote) {
        tlb.awaitAccess();
      }
    }
  }

  /** Grows with each flush, before that looks at any TLB. */
  long generation() {
    return generation.get();
  }

  /** From now on flushes reach this TLB too, until it is garbage. */
  synchronized void register(Tlb tlb) {
    List<WeakReference<Tlb>> more = new ArrayList<>();
    for (WeakReference<Tlb> known : tlbs) {
      if (known.get() != null) {
        more.add(known);
      }
    }
    more.add(new WeakReference<>(tlb));
    tlbs = List.copyOf(more);
  }

  /** The rights register for protection keys: two bits a key, access-disable and write-disable. */
  public int pkru() {
    return pkru;
  }

  /** Sets the rights of the protection keys and flushes. */
  public void setPkru(int rights) {
    pkru = rights;
    flush(0, END);
  }

  /** Whether there is a leaf table for an address ({@code !pmd_none}), even if it is empty. */
  public boolean hasTable(long address) {
    return leaf(address) != null;
  }

  /** Tables below the root, in units of one page each: what {@code VmPTE} shows. */
  public long tableCount() {
    return tables.get();
  }

  /**
   * Entries that hold a reference on a frame, as it was counted ({@code get_mm_rss}); while others
   * write, a moment of the past.
   */
  public long residentCount() {
    return resident.sum();
  }

  /**
   * Notes how many pages are resident, if they are more than ever ({@code update_hiwater_rss}): to be
   * called before pages go.
   */
  public void updateHighWater() {
    highWater.accumulateAndGet(resident.sum(), Math::max);
  }

  /** The most pages that were resident at once ({@code get_mm_hiwater_rss}). */
  public long highWater() {
    return Math.max(highWater.get(), resident.sum());
  }

  /** Forgets that there were ever more than now ({@code reset_mm_hiwater_rss}). */
  public void resetHighWater() {
    highWater.set(resident.sum());
  }

  /** Frames that the tables stand for: as many as there are tables, unless memory is used up. */
  public long tableFrames() {
    return tableFrames.held();
  }

  /** Entries that hold a reference on a frame, counted once more. */
  public long residentPages() {
    return residentBelow(root);
  }

  private static long residentBelow(Object[] table) {
    long sum = 0;
    for (int i = 0; i < FANOUT; i++) {
      Object child = SLOT.getAcquire(table, i);
      if (child instanceof LeafTable leaf) {
        synchronized (leaf) {
          sum += leaf.resident();
        }
      } else if (child != null) {
        sum += residentBelow((Object[]) child);
      }
    }
    return sum;
  }

  static int pteIndex(long address) {
    return (int) (address >>> PTE_SHIFT) & INDEX;
  }

  @Nullable LeafTable leaf(long address) {
    if (address >>> PGD_SHIFT + 9 != 0) {
      return null;
    }
    Object[] table = root;
    for (int shift = PGD_SHIFT; shift > PMD_SHIFT; shift -= 9) {
      Object next = SLOT.getAcquire(table, (int) (address >>> shift) & INDEX);
      if (next == null) {
        return null;
      }
      table = (Object[]) next;
    }
    return (LeafTable) SLOT.getAcquire(table, (int) (address >>> PMD_SHIFT) & INDEX);
  }

  private LeafTable makeLeaf(long address) {
    Object[] table = makeLast(address);
    int i = (int) (address >>> PMD_SHIFT) & INDEX;
    Object leaf = SLOT.getAcquire(table, i);
    return (LeafTable) (leaf == null ? install(table, i, new LeafTable(memory, resident)) : leaf);
  }

  /** The table of leaf tables for an address. */
  private Object[] makeLast(long address) {
    if (address >>> PGD_SHIFT + 9 != 0) {
      throw new IllegalArgumentException(
          "address = 0x" + Long.toHexString(address) + ": page tables hold 48 bits");
    }
    Object[] table = root;
    for (int shift = PGD_SHIFT; shift > PMD_SHIFT; shift -= 9) {
      int i = (int) (address >>> shift) & INDEX;
      Object next = SLOT.getAcquire(table, i);
      if (next == null) {
        next = install(table, i, new Object[FANOUT]);
      }
      table = (Object[]) next;
    }
    return table;
  }

  private Object install(Object[] table, int index, Object child) {
    Object there = SLOT.compareAndExchange(table, index, null, child);
    if (there != null) {
      return there;
    }
    tables.incrementAndGet();
    tableFrames.add();
    return child;
  }

  /** Apart, so that the host is asked for it when it is first needed. */
  private static final class HeavyBarrier {
    static final AsymmetricBarrier BEST = AsymmetricBarrier.best();
  }
}
