// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.AccessMode;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.UpgradeException;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmFlag;
import io.faultline.mm.Vma;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A kernel with the driver and some processes, and what each page must show. The areas are the
 * kernel's own matter: the model follows what the kernel did. What a page holds is the driver's.
 *
 * <p>For one thread, but for {@link #atOnce}.
 */
final class Machine implements AutoCloseable {
  static final int THREADS = 3;
  private static final long BASE = 0x2000_0000_0000L;
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int PROCESSES = 3;
  private static final int SCRATCH = 1000;
  private static final int ODD = 2000;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  /** One page of a process. */
  private static final class Cell {
    final Object source;
    final int page;
    final boolean shared;
    boolean writable;
    @Nullable Long own;

    Cell(Object source, int page, boolean shared, boolean writable, @Nullable Long own) {
      this.source = source;
      this.page = page;
      this.shared = shared;
      this.writable = writable;
      this.own = own;
    }

    Cell copy(int at, boolean fresh) {
      return new Cell(source, at, shared, writable, fresh ? null : own);
    }
  }

  /** A process, and its pages by place. */
  private static final class Process {
    final Program program;
    final int fd;
    final Map<Integer, Cell> cells = new TreeMap<>();

    Process(Program program, int fd) {
      this.program = program;
      this.fd = fd;
    }
  }

  private record Key(Object source, int page) {}

  /** What is known of a page. */
  private static final class Content {
    @Nullable Boolean present;
    @Nullable Long value;
    boolean byFile;
    int closes;
    int upgrades;
  }

  private final DriverCompliance compliance;
  private final BootedKernel kernel;
  private final Watch watch = new Watch();
  private final Facades facades;
  private final DeviceRegistration registration;
  private final String path;
  private final boolean canRead;
  private final boolean canWrite;
  private final boolean canMap;
  private final @Nullable Process[] processes = new Process[PROCESSES];
  private final Map<Key, Content> contents = new HashMap<>();
  private final Object device = "device";
  private ObservedPages pages;
  private MmapProvider driver;
  private AutoCloseable plugged;
  private int upgrades;
  private boolean mapsItsOwn;
  private boolean wasMapped;
  private boolean writtenUnmapped;
  private boolean unplugged;
  private boolean readOnly;
  private OptionalLong idleFrames = OptionalLong.empty();
  private int sequence;

  Machine(DriverCompliance compliance, Facades facades) throws Exception {
    this.compliance = compliance;
    this.facades = facades;
    registration = compliance.registration();
    kernel = BootedKernel.boot(compliance.memory(), KernelProfile.LINUX_6_18);
    pages = new ObservedPages(kernel.pages(registration), watch);
    driver = compliance.driver(pages);
    Set<String> overridden = Facades.overridden(MmapProvider.class, driver);
    canRead = overridden.contains("read");
    canWrite = overridden.contains("write");
    canMap = overridden.contains("mmap");
    watch.count(() -> compliance.areas(driver));
    plugged = kernel.devices().register(registration, ObservedDriver.of(driver, watch, facades));
    path = "/dev/" + registration.name() + (registration.count() > 1 ? "0" : "");
    processes[0] = spawn();
  }

  static long page(long address) {
    return (address - BASE) / PAGE;
  }

  static String pages(long start, long end) {
    return page(start) + "-" + page(end);
  }

  private static long address(int at) {
    return BASE + (long) at * PAGE;
  }

  Watch watch() {
    return watch;
  }

  boolean canMap() {
    return canMap;
  }

  /** The first rule that is broken, if one is. */
  @Nullable Violation violation() {
    return watch.violation();
  }

  private Process spawn() throws ErrnoException {
    Program program = kernel.spawn();
    try {
      return new Process(program, program.open(path, AccessMode.READ_WRITE));
    } catch (ErrnoException refused) {
      readOnly = true;
      return new Process(program, program.open(path, AccessMode.READ_ONLY));
    }
  }

  private @Nullable Process process(int number) {
    return number < PROCESSES && !unplugged ? processes[number] : null;
  }

  /** After each step: what the kernel had to contain is broken, if nothing else was. */
  void checkContained() {
    String failed = failure();
    if (failed != null) {
      watch.violated(Rule.CALLBACKS_ANSWER, failed);
    }
  }

  /** What a callback did that the kernel had to contain, or null. */
  private @Nullable String failure() {
    String failed = watch.takeFailure();
    if (failed != null) {
      return failed;
    }
    DeviceInfo info = kernel.devices().find(path).orElse(null);
    if (info == null || info.errors() == 0) {
      return null;
    }
    String last = info.lastError();
    return last == null ? "a callback failed" : last;
  }

  // ---- files ------------------------------------------------------------------------------------

  private long number(int page) {
    return (page + 1L << 32) + ++sequence;
  }

  private Content content(Object source, int page) {
    return contents.computeIfAbsent(new Key(source, page), key -> new Content());
  }

  private void know(Content content, long value, boolean byFile) {
    content.present = true;
    content.value = value;
    content.byFile = byFile;
    content.closes = watch.closes();
    content.upgrades = upgrades;
  }

  void fill() {
    Process process = process(0);
    if (process == null) {
      return;
    }
    if (canWrite && !readOnly) {
      for (int page = 0; page < Step.PAGES; page++) {
        write(page);
      }
      return;
    }
    map(0, SCRATCH, Step.PAGES, 0, true, true);
    for (int page = 0; page < Step.PAGES; page++) {
      store(0, SCRATCH + page);
    }
    unmap(0, SCRATCH, Step.PAGES);
  }

  void cycle() {
    map(0, SCRATCH, Step.PAGES, 0, true, false);
    for (int page = 0; page < Step.PAGES; page++) {
      load(0, SCRATCH + page);
    }
    unmap(0, SCRATCH, Step.PAGES);
    if (nothingIsMapped()) {
      idleFrames = OptionalLong.of(pages.allocated());
    }
  }

  void write(int page) {
    Process process = anyone();
    if (process == null || !canWrite || readOnly) {
      return;
    }
    if (page >= Step.PAGES) {
      idleFrames = OptionalLong.empty();
    }
    // The last close may be over by now.
    writtenUnmapped |= !wasMapped;
    long value = number(page);
    MemorySegment bytes = MemorySegment.ofArray(new byte[Long.BYTES]);
    bytes.set(LONG, 0, value);
    try {
      kernel.files().seek(process.program.task(), process.fd, (long) page * PAGE);
      if (kernel.files().write(process.program.task(), process.fd, bytes) == Long.BYTES) {
        know(content(device, page), value, true);
      }
      forgetHoles();
    } catch (ErrnoException refused) {
      // A device that is full, or shorter: nothing is known of that page.
    }
  }

  /** What was written may have filled gaps before it. */
  private void forgetHoles() {
    contents.values().removeIf(content -> Boolean.FALSE.equals(content.present));
  }

  void read(int page) {
    OptionalLong got = readWord(page);
    Content content = content(device, page);
    if (got.isEmpty() && canRead && anyone() != null && mapsItsOwn
        && Boolean.TRUE.equals(content.present) && content.upgrades < upgrades) {
      watch.violated(
          Rule.UPGRADE_IS_NOT_SEEN,
          "read(2) of page " + page + " gives nothing, and the page was there before the upgrade");
    }
    Long expected = content.value;
    if (got.isPresent() && mapsItsOwn) {
      if (expected != null && expected != got.getAsLong()) {
        wrong("read(2) of page " + page, device, page, got.getAsLong(), content, true);
      } else {
        know(content, got.getAsLong(), true);
      }
    }
  }

  /** The first word of a page by read(2), nothing where there is none. */
  private OptionalLong readWord(int page) {
    Process process = anyone();
    if (process == null || !canRead) {
      return OptionalLong.empty();
    }
    MemorySegment bytes = MemorySegment.ofArray(new byte[Long.BYTES]);
    try {
      kernel.files().seek(process.program.task(), process.fd, (long) page * PAGE);
      return kernel.files().read(process.program.task(), process.fd, bytes) == Long.BYTES
          ? OptionalLong.of(bytes.get(LONG, 0))
          : OptionalLong.empty();
    } catch (ErrnoException refused) {
      return OptionalLong.empty();
    }
  }

  /** Whether the device has a page by its own account; null when nobody can say. */
  private @Nullable Boolean has(int page) {
    Process process = anyone();
    OptionalInt size = compliance.size();
    if (size.isPresent() && page >= size.getAsInt()) {
      return false;
    }
    if (process == null || !canRead) {
      return size.isPresent() ? Boolean.TRUE : null;
    }
    MemorySegment bytes = MemorySegment.ofArray(new byte[1]);
    try {
      kernel.files().seek(process.program.task(), process.fd, (long) page * PAGE);
      return kernel.files().read(process.program.task(), process.fd, bytes) == 1;
    } catch (ErrnoException refused) {
      return null;
    }
  }

  private @Nullable Process anyone() {
    if (unplugged) {
      return null;
    }
    for (Process process : processes) {
      if (process != null) {
        return process;
      }
    }
    return null;
  }

  // ---- areas ------------------------------------------------------------------------------------

  void map(int number, int at, int count, int offset, boolean shared, boolean writable) {
    Process process = process(number);
    if (process == null || !canMap) {
      return;
    }
    boolean rw = writable && !(readOnly && shared);
    int prot = rw ? Mman.PROT_READ | Mman.PROT_WRITE : Mman.PROT_READ;
    int flags = (shared ? Mman.MAP_SHARED : Mman.MAP_PRIVATE) | Mman.MAP_FIXED;
    Watch.Backing unused = watch.takeBacking();
    for (int i = 0; i < count; i++) {
      process.cells.remove(at + i);
    }
    // What was there is closed before the driver is asked.
    forgetWhatNobodyMaps();
    try {
      long mapped = process.program.mmapAt(
          address(at), process.fd, (long) count * PAGE, prot, flags, (long) offset * PAGE);
      if (mapped != address(at)) {
        throw new AssertionError("mmap returned another address");
      }
    } catch (ErrnoException refused) {
      follow();
      return;
    }
    Watch.Backing backing = watch.takeBacking();
    Object source = device;
    if (backing == Watch.Backing.ANONYMOUS || backing == Watch.Backing.SHARED_MEMORY) {
      source = new Object();
    } else if (backing == Watch.Backing.DEVICE) {
      mapsItsOwn = true;
    }
    if (source == device) {
      wasMapped = true;
      writtenUnmapped = false;
    }
    for (int i = 0; i < count; i++) {
      process.cells.put(at + i, new Cell(source, offset + i, shared, rw, null));
    }
    follow();
  }

  void mapOddly(int number, Step.MapOddly.Odd how) {
    Process process = process(number);
    if (process == null || !canMap) {
      return;
    }
    long length = how == Step.MapOddly.Odd.HUGE ? 65536L * PAGE : PAGE;
    long offset = switch (how) {
      case FAR -> (1L << 40) * PAGE;
      case SECOND -> PAGE;
      default -> 0;
    };
    int prot = Mman.PROT_READ | (how == Step.MapOddly.Odd.EXECUTABLE ? Mman.PROT_EXEC : 0)
        | (how == Step.MapOddly.Odd.PRIVATE ? Mman.PROT_WRITE : 0);
    int flags = how == Step.MapOddly.Odd.PRIVATE ? Mman.MAP_PRIVATE : Mman.MAP_SHARED;
    try {
      long mapped = process.program.mmapAt(
          address(ODD), process.fd, length, prot, flags | Mman.MAP_FIXED, offset);
      wasMapped = true;
      process.program.munmap(mapped, length);
    } catch (ErrnoException refused) {
      // As it may.
    }
    follow();
  }

  void unmap(int number, int at, int count) {
    Process process = process(number);
    if (process == null) {
      return;
    }
    try {
      process.program.munmap(address(at), (long) count * PAGE);
    } catch (ErrnoException refused) {
      // maySplit, say.
    }
    follow();
  }

  void protect(int number, int at, int count, boolean writable) {
    Process process = process(number);
    if (process == null) {
      return;
    }
    try {
      process.program.mprotect(
          address(at), (long) count * PAGE,
          writable ? Mman.PROT_READ | Mman.PROT_WRITE : Mman.PROT_READ);
    } catch (ErrnoException refused) {
      // A hole, a file that is open for reading, a driver that says no.
    }
    follow();
  }

  void move(int number, int at, int count, int to, int newCount) {
    boolean apart = at + Math.max(count, newCount) <= to || to + newCount <= at;
    if (apart) {
      remap(number, at, count, to, newCount, Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED);
    }
  }

  void grow(int number, int at, int count, int newCount) {
    remap(number, at, count, at, newCount, 0);
  }

  private void remap(int number, int at, int count, int to, int newCount, int flags) {
    Process process = process(number);
    Vma area = process == null
        ? null
        : kernel.vmas().find(process.program.task(), address(at)).orElse(null);
    if (process == null || area == null || area.end() < address(at + count)) {
      return;
    }
    try {
      long unused = kernel.vmas().mremap(
          process.program.task(), address(at), (long) count * PAGE, (long) newCount * PAGE, flags,
          address(to));
    } catch (ErrnoException refused) {
      follow();
      return;
    }
    Map<Integer, Cell> moved = new TreeMap<>();
    Cell last = null;
    for (int i = 0; i < count; i++) {
      Cell cell = process.cells.remove(at + i);
      if (cell != null && i < newCount) {
        moved.put(to + i, cell);
        last = cell;
      }
    }
    for (int i = count; i < newCount && last != null; i++) {
      moved.put(to + i, last.copy(last.page + i - count + 1, true));
    }
    process.cells.putAll(moved);
    follow();
  }

  void fork(int number) {
    Process parent = process(number);
    int free = 0;
    while (free < PROCESSES && processes[free] != null) {
      free++;
    }
    if (parent == null || free == PROCESSES) {
      return;
    }
    try {
      Process child = new Process(parent.program.fork(), parent.fd);
      parent.cells.forEach((at, cell) -> child.cells.put(at, cell.copy(cell.page, false)));
      processes[free] = child;
    } catch (ErrnoException refused) {
      // No memory.
    }
    follow();
  }

  void exit(int number) {
    Process process = process(number);
    if (process != null) {
      process.program.exit();
      processes[number] = null;
      follow();
    }
  }

  private boolean nothingIsMapped() {
    for (Process process : processes) {
      if (process != null
          && process.cells.values().stream().anyMatch(cell -> cell.source == device)) {
        return false;
      }
    }
    return true;
  }

  /** Takes from the kernel which places are mapped, and which of them can be written. */
  private void follow() {
    for (Process process : processes) {
      if (process != null) {
        List<Vma> areas = process.program.areas();
        process.cells.entrySet().removeIf(entry -> {
          long address = address(entry.getKey());
          for (Vma area : areas) {
            if (area.start() <= address && address < area.end()) {
              entry.getValue().writable = area.has(VmFlag.WRITE);
              return false;
            }
          }
          return true;
        });
      }
    }
    forgetWhatNobodyMaps();
  }

  /** A device may live for as long as it is mapped. */
  private void forgetWhatNobodyMaps() {
    if (wasMapped && nothingIsMapped()) {
      wasMapped = false;
      contents.keySet().removeIf(key -> key.source() == device);
    }
  }

  // ---- accesses ---------------------------------------------------------------------------------

  void load(int number, int at) {
    Process process = process(number);
    Cell cell = process == null ? null : process.cells.get(at);
    if (process == null || cell == null) {
      return;
    }
    Boolean has = has(cell);
    Content content = content(cell.source, cell.page);
    long got;
    try {
      got = process.program.memory().getLong(address(at));
    } catch (SignalException signal) {
      refused(at, cell, content, has, signal);
      return;
    }
    if (isThere(at, cell, content, has, Long.toHexString(got))) {
      Long expected = cell.own != null ? cell.own : content.value;
      if (expected != null ? expected != got : isOfAnotherPage(cell, got)) {
        wrong("a load from " + at, cell.source, cell.page, got, content, false);
      } else if (cell.own == null) {
        know(content, got, false);
      }
    }
  }

  /** Of a page that nothing is known of. */
  private boolean isOfAnotherPage(Cell cell, long got) {
    long page = (got >>> 32) - 1;
    long count = got & 0xffff_ffffL;
    return cell.source == device && page >= 0 && page < 1000 && page != cell.page && count > 0
        && count <= sequence;
  }

  void store(int number, int at) {
    Process process = process(number);
    Cell cell = process == null ? null : process.cells.get(at);
    if (process == null || cell == null || !cell.writable) {
      return;
    }
    Boolean has = has(cell);
    Content content = content(cell.source, cell.page);
    long value = number(cell.page);
    try {
      process.program.memory().putLong(address(at), value);
    } catch (SignalException signal) {
      refused(at, cell, content, has, signal);
      return;
    }
    if (isThere(at, cell, content, has, "no signal")) {
      if (cell.shared) {
        know(content, value, false);
      } else {
        cell.own = value;
      }
    }
  }

  /** Whether the driver must have a page for it; null when that is the kernel's, or unknown. */
  private @Nullable Boolean has(Cell cell) {
    if (cell.source != device || cell.own != null) {
      return null;
    }
    if (cell.page >= Step.PAGES) {
      idleFrames = OptionalLong.empty();
    }
    return has(cell.page);
  }

  private static String told(boolean has) {
    return has
        ? "the device has that page: read(2) returns its bytes, or it is within its size"
        : "the device has no such page: read(2) returns none of its bytes, or it is behind its size";
  }

  /** The access went through; says whether it may. */
  private boolean isThere(
      int at, Cell cell, Content content, @Nullable Boolean has, String got) {
    if (cell.source != device || cell.own != null) {
      return true;
    }
    if (Boolean.FALSE.equals(has)) {
      boolean lost = Boolean.TRUE.equals(content.present) && content.upgrades < upgrades;
      watch.violated(
          lost ? Rule.UPGRADE_IS_NOT_SEEN : Rule.HOLE_IS_SIGBUS,
          "an access to " + at + ", page " + cell.page + " of the device, got " + got
              + (lost ? ", and before the upgrade read(2) had that page; now "
                  : " where SIGBUS was due; ")
              + told(false));
      return false;
    }
    if (Boolean.FALSE.equals(content.present)) {
      watch.violated(
          Rule.HOLE_IS_SIGBUS,
          "an access to " + at + ", page " + cell.page + " of the device, got " + got
              + " where SIGBUS was due: so it was before, and nobody has written since");
      return false;
    }
    return true;
  }

  /** The access got a signal. */
  private void refused(
      int at, Cell cell, Content content, @Nullable Boolean has, SignalException signal) {
    String where = "an access to " + at + ", page " + cell.page + " of the device, ";
    String failed = failure();
    if (failed != null) {
      watch.violated(
          Boolean.FALSE.equals(has) ? Rule.HOLE_IS_SIGBUS : Rule.CALLBACKS_ANSWER,
          where + "was refused because " + failed
              + (Boolean.FALSE.equals(has) ? "; nopage should answer Nopage.SIGBUS: " + told(false)
                  : ""));
    } else if (cell.source == device && Boolean.TRUE.equals(content.present)
        && content.upgrades < upgrades) {
      watch.violated(
          Rule.UPGRADE_IS_NOT_SEEN,
          where + "got " + signal.info().shortText()
              + ", and the page was there before the upgrade");
    } else if (cell.source == device && Boolean.TRUE.equals(content.present)) {
      watch.violated(
          content.closes < watch.closes() ? Rule.AREAS_ARE_COUNTED : Rule.ONE_PAGE_FOR_ONE_OFFSET,
          where + "got " + signal.info().shortText() + ", and the page was there before"
              + (content.closes < watch.closes()
                  ? "; an area was closed since, but others still map the device"
                  : ""));
    } else if (Boolean.TRUE.equals(has)) {
      watch.violated(
          Rule.READ_AND_WRITE_SEE_WHAT_IS_MAPPED,
          where + "got " + signal.info().shortText() + ", but " + told(true));
    } else {
      content.present = false;
    }
  }

  /** A page shows another number than it should: which rule is that? */
  private void wrong(
      String how, Object source, int page, long got, Content content, boolean byFile) {
    long other = (got >>> 32) - 1;
    String text = content.value == null
        ? "%s, page %d of the device, gave 0x%x".formatted(how, page, got)
        : "%s gave 0x%x, but page %d holds 0x%x, which was %s".formatted(
            how, got, page, content.value,
            content.byFile ? "written by write(2)" : "stored or seen through a mapping");
    if (source != device) {
      throw new AssertionError("the kernel's own memory is wrong: " + text);
    }
    if (content.value != null && content.upgrades < upgrades) {
      watch.violated(Rule.UPGRADE_IS_NOT_SEEN, text + " before the upgrade");
    } else if (other != page && other >= 0 && other < 1000) {
      watch.violated(
          Rule.PAGE_OF_ITS_OFFSET, text + "; 0x%x is of page %d".formatted(got, other));
    } else if (byFile != content.byFile) {
      watch.violated(Rule.READ_AND_WRITE_SEE_WHAT_IS_MAPPED, text);
    } else if (content.closes < watch.closes()) {
      watch.violated(
          Rule.AREAS_ARE_COUNTED,
          text + "; an area was closed since, but others still map the device");
    } else {
      watch.violated(Rule.ONE_PAGE_FOR_ONE_OFFSET, text);
    }
  }

  // ---- at once ----------------------------------------------------------------------------------

  void atOnce(int page, boolean byWrite) {
    if (unplugged || byWrite && (!canWrite || readOnly) || !canMap || readOnly) {
      return;
    }
    idleFrames = OptionalLong.empty();
    List<Process> several = new ArrayList<>();
    try {
      for (int i = 0; i < THREADS; i++) {
        several.add(spawn());
      }
    } catch (ErrnoException refused) {
      // Fewer then: a device that only so many may open.
    }
    List<Process> mapped = new ArrayList<>();
    boolean own = true;
    for (Process process : several) {
      Watch.Backing unused = watch.takeBacking();
      try {
        long address = process.program.mmapAt(
            address(0), process.fd, PAGE, Mman.PROT_READ | Mman.PROT_WRITE,
            Mman.MAP_SHARED | Mman.MAP_FIXED, (long) page * PAGE);
        mapped.add(process);
        Watch.Backing backing = watch.takeBacking();
        wasMapped |= backing == Watch.Backing.DEVICE;
        own &= address == address(0) && backing == Watch.Backing.DEVICE;
      } catch (ErrnoException refused) {
        // A page that cannot be mapped.
      }
    }
    if (own && mapped.size() > 1) {
      Boolean has = has(page);
      atOnce(page, byWrite, mapped);
      String failed = failure();
      if (failed != null) {
        watch.violated(
            Boolean.FALSE.equals(has) ? Rule.HOLE_IS_SIGBUS : Rule.CALLBACKS_ANSWER,
            failed + (Boolean.FALSE.equals(has) ? "; " + told(false) : ""));
      }
    }
    several.forEach(process -> process.program.exit());
    contents.remove(new Key(device, page));
    forgetHoles();
    follow();
  }

  private void atOnce(int page, boolean byWrite, List<Process> mapped) {
    long[] values = new long[mapped.size()];
    boolean[] done = new boolean[mapped.size()];
    watch.concurrent(true);
    pages.meet(mapped.size());
    CyclicBarrier start = new CyclicBarrier(mapped.size());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < mapped.size(); i++) {
      int who = i;
      values[i] = number(page);
      threads.add(Thread.ofPlatform().daemon().start(() -> {
        try {
          start.await(5, TimeUnit.SECONDS);
          done[who] = byWrite
              ? writeWord(mapped.get(who), page, who, values[who])
              : storeWord(mapped.get(who), who, values[who]);
        } catch (Exception e) {
          watch.failed("a thread that stores at the same moment as others: " + e);
        }
      }));
    }
    try {
      for (Thread thread : threads) {
        thread.join(TimeUnit.SECONDS.toMillis(10));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    pages.meet(0);
    watch.concurrent(false);
    for (int reader = 0; reader < mapped.size(); reader++) {
      for (int i = 0; i < mapped.size(); i++) {
        if (done[i]) {
          checkWord(page, reader, mapped.get(reader), i, values[i]);
        }
      }
    }
  }

  private boolean storeWord(Process process, int who, long value) {
    try {
      process.program.memory().putLong(address(0) + place(who), value);
      return true;
    } catch (SignalException hole) {
      return false;
    }
  }

  private boolean writeWord(Process process, int page, int who, long value)
      throws ErrnoException {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Long.BYTES]);
    bytes.set(LONG, 0, value);
    kernel.files().seek(process.program.task(), process.fd, (long) page * PAGE + place(who));
    return kernel.files().write(process.program.task(), process.fd, bytes) == Long.BYTES;
  }

  private static int place(int who) {
    return 64 * (who + 1);
  }

  private void checkWord(int page, int reader, Process process, int writer, long value) {
    String text;
    try {
      long got = process.program.memory().getLong(address(0) + place(writer));
      if (got == value) {
        return;
      }
      text = "sees 0x%x where the %s stored 0x%x".formatted(got, ordinal(writer), value);
    } catch (SignalException signal) {
      text = "gets " + signal.info().shortText() + " where the " + ordinal(writer) + " stored";
    }
    watch.violated(
        Rule.ONE_PAGE_FOR_ONE_OFFSET,
        "of " + THREADS + " processes that share page " + page + " of the device, the "
            + ordinal(reader) + " " + text);
  }

  private static String ordinal(int i) {
    return List.of("first", "second", "third").get(i);
  }

  // ---- the end ----------------------------------------------------------------------------------

  boolean handsOver() {
    return driver instanceof HandOver;
  }

  void upgrade() {
    if (unplugged || !handsOver()) {
      return;
    }
    checkContained();
    DeviceRegistration next = registration.withVersion("1.0." + (upgrades + 1));
    ObservedPages nextPages = new ObservedPages(kernel.pages(next), watch);
    MmapProvider old = driver;
    try {
      driver = compliance.driver(nextPages);
      plugged = kernel.devices().replace(
          plugged, next, ObservedDriver.of(driver, watch, facades), done -> {
          });
    } catch (UpgradeException refused) {
      watch.violated(
          Rule.UPGRADE_IS_NOT_SEEN, "the next version does not take over: " + refused.getMessage());
      removeQuietly(driver);
      driver = old;
      return;
    } catch (Exception thrown) {
      throw new AssertionError("the driver's next version cannot be made: " + thrown, thrown);
    }
    upgrades++;
    idleFrames = OptionalLong.empty();
    remove(old, pages);
    pages = nextPages;
  }

  private void removeQuietly(MmapProvider unused) {
    try {
      compliance.remove(unused);
    } catch (Exception thrown) {
      watch.violated(
          Rule.CALLBACKS_ANSWER, "a version that did not take over cannot be removed: " + thrown);
    }
  }

  void unplug() {
    if (unplugged) {
      return;
    }
    checkContained();
    unregister();
    for (Process process : processes) {
      if (process != null) {
        process.cells.forEach((at, cell) -> {
          // What the kernel backs outlives the driver, and so does a private copy.
          if (cell.source == device && cell.shared) {
            try {
              long got = process.program.memory().getLong(address(at));
              watch.violated(
                  Rule.UNPLUGGED_IS_SIGBUS,
                  "a load from " + at + " got 0x" + Long.toHexString(got) + " from a driver that"
                      + " is gone");
            } catch (SignalException expected) {
              // As it must be.
            }
          }
        });
      }
    }
  }

  private void unregister() {
    unplugged = true;
    try {
      plugged.close();
    } catch (Exception e) {
      throw new AssertionError("the driver cannot be unregistered: " + e, e);
    }
    OptionalInt left = compliance.areas(driver);
    if (left.isPresent() && left.getAsInt() != 0) {
      watch.violated(
          Rule.AREAS_ARE_COUNTED,
          "all areas are closed, and the driver counts " + left.getAsInt());
    }
  }

  /** All processes exit, the driver goes: is anything left? */
  void finish() {
    boolean wasUnplugged = unplugged;
    for (int i = 0; i < PROCESSES && !wasUnplugged; i++) {
      exit(i);
    }
    if (!wasUnplugged) {
      checkContained();
      checkIdle();
      unregister();
    }
    String failed = watch.takeFailure();
    if (failed != null) {
      watch.violated(Rule.CALLBACKS_ANSWER, "while the driver was removed: " + failed);
    }
    remove(driver, pages);
  }

  /** A version of the driver has gone. */
  private void remove(MmapProvider version, ObservedPages its) {
    try {
      compliance.remove(version);
    } catch (Exception thrown) {
      watch.threw("the driver's removal", thrown);
      String failure = watch.takeFailure();
      if (failure != null) {
        watch.violated(Rule.CALLBACKS_ANSWER, failure);
      }
      return;
    }
    if (its.allocated() > 0) {
      watch.violated(
          Rule.FRAMES_COME_BACK,
          "the driver is removed, and " + its.allocated() + " of its pages were not put");
    }
  }

  private void checkIdle() {
    long now = pages.allocated();
    if (idleFrames.isPresent() && !writtenUnmapped && idleFrames.getAsLong() != now) {
      watch.violated(
          Rule.AREAS_ARE_COUNTED,
          "when its last area was closed the first time the driver held " + idleFrames.getAsLong()
              + " pages, and now that all processes are gone it holds " + now
              + ", though no other page was touched");
    }
  }

  @Override
  public void close() {
    kernel.close();
  }
}
