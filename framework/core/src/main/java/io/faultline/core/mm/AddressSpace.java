// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_LOCKED;

import io.faultline.core.area.AnonVma;
import io.faultline.core.area.AnonVmaReuse;
import io.faultline.core.area.Area;
import io.faultline.core.area.AreaMerger;
import io.faultline.core.area.AreaRule;
import io.faultline.core.area.AreaSplitter;
import io.faultline.core.area.AreaTree;
import io.faultline.core.area.Decisions;
import io.faultline.core.area.MappedFile;
import io.faultline.core.area.MemoryPolicy;
import io.faultline.core.area.MergeRequest;
import io.faultline.core.area.UnmappedArea;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.paging.PageTables;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.KernelObjects;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlags;
import org.jspecify.annotations.Nullable;

/**
 * The memory of one process, {@code struct mm_struct}: its areas, page tables and counters, with the
 * small steps that several system calls share. The calls themselves are classes of their own.
 */
public final class AddressSpace {
  private final int pid;
  private final KernelProfile profile;
  private final MmLayout layout;
  private final Credentials credentials;
  private final MmServices services;
  private final @Nullable KernelObjects objectNames;
  private final AreaTree areas = new AreaTree();
  private final Decisions decisions = new Decisions();
  private final PageTables tables;
  private final UnmappedArea unmapped;
  private final VmAccount account = new VmAccount();
  private final ProtectionKeys keys;
  private final AioContexts aio = new AioContexts();
  private final AreaMerger merger = new AreaMerger(AddressSpace::putFile, decisions);
  private final MmapLock lock;
  private final Object faultMonitor = new Object();

  private volatile Limits limits;
  /** {@code mm->brk}, guarded by {@link #lock}. */
  private long brk;
  /** Guarded by {@link #lock}. */
  private long textPages;
  /** {@code mm->def_flags}: what mlockall gives to areas to come; guarded by {@link #lock}. */
  private long defaultFlags;

  public AddressSpace(
      int pid,
      KernelProfile profile,
      MmLayout layout,
      Limits limits,
      Credentials credentials,
      @Nullable KernelObjects objectNames,
      MmServices services) {
    this.pid = pid;
    this.profile = profile;
    this.layout = layout;
    this.limits = limits;
    this.credentials = credentials;
    this.objectNames = objectNames;
    this.services = services;
    this.tables = new PageTables(services.memory());
    this.unmapped = new UnmappedArea(areas, guardGapBytes(), decisions);
    this.keys = new ProtectionKeys(profile.protectionKeys(), tables);
    this.brk = layout.startBrk();
    this.lock =
        new MmapLock(
            pid, services.devices()::heldLocks, services.devices()::inDriverCall,
            () -> ExitOperation.empty(this));
    services.spaces().add(this);
  }

  // ---- what it is made of -----------------------------------------------------------------------

  public int pid() {
    return pid;
  }

  public KernelProfile profile() {
    return profile;
  }

  public MmLayout layout() {
    return layout;
  }

  public Credentials credentials() {
    return credentials;
  }

  public Limits limits() {
    return limits;
  }

  public void setLimits(Limits newLimits) {
    limits = newLimits;
  }

  /** Who names the kernel objects that it makes; null for the kernel. */
  public @Nullable KernelObjects objectNames() {
    return objectNames;
  }

  public AreaTree areas() {
    return areas;
  }

  /** Where the calls and faults on it say why they end as they do. */
  public Decisions decisions() {
    return decisions;
  }

  public PageTables tables() {
    return tables;
  }

  public PhysicalMemory memory() {
    return services.memory();
  }

  public MmServices services() {
    return services;
  }

  public VmAccount account() {
    return account;
  }

  public ProtectionKeys keys() {
    return keys;
  }

  AioContexts aio() {
    return aio;
  }

  /** {@code pkey_alloc(2)}; the lock is held for writing. */
  public int allocateKey(int flags, int rights) throws ErrnoException {
    return keys.allocate(flags, rights);
  }

  /** {@code pkey_free(2)}; the lock is held for writing. */
  public void freeKey(int key) throws ErrnoException {
    keys.free(key);
  }

  public long brk() {
    return brk;
  }

  void setBrk(long address) {
    brk = address;
  }

  /** Pages of the program's own code, {@code start_code} to {@code end_code}. */
  public long textPages() {
    return textPages;
  }

  void setTextPages(long pages) {
    textPages = pages;
  }

  long defaultFlags() {
    return defaultFlags;
  }

  void setDefaultFlags(long flags) {
    defaultFlags = flags;
  }

  UnmappedArea unmapped() {
    return unmapped;
  }

  long guardGapBytes() {
    return (long) profile.stackGuardGapPages() << Mman.PAGE_SHIFT;
  }

  /** Held while a fault assigns an anon_vma or replaces an entry that other faults race for. */
  public Object faultMonitor() {
    return faultMonitor;
  }

  // ---- the lock ---------------------------------------------------------------------------------

  /**
   * Takes mmap_lock for writing.
   *
   * @throws ErrnoException EDEADLK in a driver's callback for this space, or in one for another space
   *     that is interrupted while it waits; ESRCH when the process is gone
   */
  public void lockForWriting() throws ErrnoException {
    lock.lockForWriting();
  }

  /**
   * Takes mmap_lock for writing unless somebody else keeps it.
   *
   * @param millis how long to wait at most
   * @return false when it could not be had, also where this thread has it already
   * @throws ErrnoException ESRCH when the process is gone
   */
  public boolean tryLockForWriting(long millis) throws ErrnoException {
    return lock.tryLockForWriting(millis);
  }

  /** Takes mmap_lock for reading; otherwise as {@link #tryLockForWriting}. */
  public boolean tryLockForReading(long millis) throws ErrnoException {
    return lock.tryLockForReading(millis);
  }

  public void unlockForWriting() {
    lock.unlockForWriting();
  }

  /** Takes mmap_lock for reading; otherwise as {@link #lockForWriting}. */
  public void lockForReading() throws ErrnoException {
    lock.lockForReading();
  }

  /**
   * Takes mmap_lock for reading unless one would have to wait, also where this thread has it for
   * reading already; {@link #unlockAfterTry} undoes it.
   *
   * @param own also where this thread has it for writing, and the areas are as they should be
   */
  public boolean tryLockForReading(boolean own) {
    return lock.tryLockForReading(own);
  }

  /**
   * Undoes {@link #tryLockForReading}. Where the space's end was asked for meanwhile, it comes by
   * {@link #endIfDying}, which is to be called when no frame is locked.
   */
  public void unlockAfterTry() {
    lock.unlockAfterTry();
  }

  public void endIfDying() {
    lock.endIfDying();
  }

  public void unlockForReading() {
    lock.unlockForReading();
  }

  /** Ends the space, at once or as soon as those let go who use it. */
  void end() {
    lock.end();
  }

  // ---- limits -----------------------------------------------------------------------------------

  /**
   * Whether RLIMIT_AS and RLIMIT_DATA allow more pages ({@code may_expand_vm}).
   *
   * @param pages may be negative: a replaced mapping is netted out
   */
  boolean mayExpand(long flags, long pages) {
    Limits now = limits;
    if (exceeds(account.total() + pages, now.addressSpace())) {
      return false;
    }
    // "Workaround for Valgrind": while the soft limit is 0 the hard one counts.
    long data = now.data() == 0 ? now.dataMaximum() : now.data();
    return !VmAccount.isData(flags) || !exceeds(account.data() + pages, data);
  }

  /** Whether RLIMIT_MEMLOCK allows an area with these flags to be added ({@code mlock_future_ok}). */
  boolean mlockFutureOk(long flags, long bytes) {
    if ((flags & VM_LOCKED) == 0 || credentials.ipcLock()) {
      return true;
    }
    long pages = (bytes >>> Mman.PAGE_SHIFT) + account.locked();
    return !exceeds(pages, limits.lockedMemory());
  }

  /** Whether the process may lock memory at all ({@code can_do_mlock}). */
  boolean canLock() {
    return limits.lockedMemory() != 0 || credentials.ipcLock();
  }

  static boolean exceeds(long pages, long limitBytes) {
    return Long.compareUnsigned(pages, limitBytes >>> Mman.PAGE_SHIFT) > 0;
  }

  void charge(long pages) throws ErrnoException {
    try {
      services.commit().charge(this, pages);
    } catch (ErrnoException refused) {
      throw decisions.refused(MmRule.OVERCOMMIT, refused);
    }
  }

  void uncharge(long pages) {
    services.commit().uncharge(pages);
  }

  // ---- areas ------------------------------------------------------------------------------------

  AreaMerger merger() {
    return merger;
  }

  /**
   * Cuts an area in two, unless there are too many ({@code split_vma}).
   *
   * @return the new area
   */
  Area split(Area area, long address, boolean newBelow) throws ErrnoException {
    if (areas.size() >= profile.maxMapCount()) {
      throw tooManyAreas();
    }
    return splitAnyway(area, address, newBelow, MmRule.SPLIT_FOR_CHANGE);
  }

  /**
   * Cuts an area in two, however many there are ({@code __split_vma}).
   *
   * @param why what it is cut for
   * @return the new area
   */
  Area splitAnyway(Area area, long address, boolean newBelow, MmRule why) throws ErrnoException {
    long start = area.start();
    long end = area.end();
    Area half;
    try {
      half = AreaSplitter.split(areas, area, address, newBelow);
    } catch (ErrnoException refused) {
      throw decisions.refused(AreaRule.SPLIT_REFUSED, refused);
    }
    if (decisions.wanted()) {
      decisions.by(
          why, start, end,
          "%x-%x cut at %x: %s".formatted(start, end, address, why.text()));
    }
    return half;
  }

  ErrnoException tooManyAreas() {
    return decisions.refused(
        MmRule.MAP_COUNT,
        new ErrnoException(
            Errno.ENOMEM, "vm.max_map_count: " + profile.maxMapCount() + " areas are the limit"));
  }

  /**
   * Makes {@code [start, end)} of an area an area that may have other flags: joined with neighbours
   * that have them already, or cut out ({@code vma_modify_flags}). The caller then sets the flags.
   *
   * @return the area that holds the range
   */
  Area modify(Area area, long start, long end, long newFlags) throws ErrnoException {
    if (decisions.wanted()) {
      String text =
          "%x-%x: %sbecomes %s"
              .formatted(start, end, area.flags().mnemonics(), new VmFlags(newFlags).mnemonics());
      decisions.by(MmRule.FLAGS_SET, start, end, text.strip());
    }
    return modify(
        area, start, end, MergeRequest.ofChange(areas, area, start, end, newFlags));
  }

  /** The same for another policy, which the caller then sets ({@code vma_modify_policy}). */
  Area modifyPolicy(Area area, long start, long end, @Nullable MemoryPolicy policy)
      throws ErrnoException {
    return modify(area, start, end, MergeRequest.ofPolicy(areas, area, start, end, policy));
  }

  private Area modify(Area area, long start, long end, MergeRequest request)
      throws ErrnoException {
    Area merged = merger.mergeExisting(request);
    if (merged != null) {
      return merged;
    }
    if (area.start() < start) {
      split(area, start, true);
    }
    if (area.end() > end) {
      split(area, end, false);
    }
    return area;
  }

  /**
   * Gives an area an anon_vma if it has none, a neighbour's where that fits ({@code
   * anon_vma_prepare}). With {@link #lock} held, for reading or for writing.
   */
  public void prepareAnonVma(Area area) {
    if (area.anonVmas().own() != null) {
      return;
    }
    synchronized (faultMonitor) {
      if (area.anonVmas().own() == null) {
        AnonVma reusable = AnonVmaReuse.find(areas, area, decisions);
        area.anonVmas().assign(reusable != null ? reusable : new AnonVma(null));
      }
    }
  }

  static void putFile(Area area) {
    @Nullable MappedFile file = area.mappedFile();
    if (file != null) {
      file.put();
    }
  }

  // ---- checks of itself -------------------------------------------------------------------------

  /**
   * Checks that tree, counters and page tables agree.
   *
   * @throws IllegalStateException naming what is wrong
   */
  public void validate() {
    lock.look(() -> SpaceValidator.validate(this));
  }
}
