// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core;

import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.DriverLog;
import io.faultline.core.device.DriverThreads;
import io.faultline.core.device.FileMappings;
import io.faultline.core.device.Tracer;
import io.faultline.core.device.Watchdog;
import io.faultline.core.fault.FaultStatistics;
import io.faultline.core.fault.PageFaultHandler;
import io.faultline.core.fault.Populate;
import io.faultline.core.fault.SwapHome;
import io.faultline.core.memory.DeviceRegions;
import io.faultline.core.memory.DriverPages;
import io.faultline.core.memory.FrameCounts;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.MmServices;
import io.faultline.core.mm.SharedMemoryPages;
import io.faultline.core.proc.MachineText;
import io.faultline.core.proc.ReclaimView;
import io.faultline.core.process.CoreDumpService;
import io.faultline.core.process.CoreDumper;
import io.faultline.core.process.DeviceService;
import io.faultline.core.process.Dispatcher;
import io.faultline.core.process.DriverUnplug;
import io.faultline.core.process.FileService;
import io.faultline.core.process.OomKiller;
import io.faultline.core.process.ProcService;
import io.faultline.core.process.ReclaimStatus;
import io.faultline.core.process.StoppedSpaces;
import io.faultline.core.process.SwapService;
import io.faultline.core.process.SystemCalls;
import io.faultline.core.process.TaskTable;
import io.faultline.core.reclaim.Reclaimer;
import io.faultline.core.swap.SwapSpace;
import io.faultline.device.DeviceMemory;
import io.faultline.device.IoMemory;
import io.faultline.device.PageAllocator;
import io.faultline.kernel.CoreDumps;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.TraceListener;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Signal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * A whole kernel, put together in plain Java: {@code try (Kernel kernel = new Kernel(64 << 20,
 * KernelProfile.LINUX_6_18, DriverLog.NONE))}. The Declarative Services components publish its parts;
 * the test kit boots it without a container.
 *
 * <p>It has no thread of its own: whoever makes it runs {@link #watchdog()} every {@link
 * Watchdog#PERIOD_MILLIS} ms if hanging drivers are to be interrupted.
 */
public final class Kernel implements AutoCloseable {
  /** Two versions of one driver may be there at once; each has pages of its own. */
  private record Owner(String driver, String version) {
    Owner(DeviceRegistration registration) {
      this(registration.driver(), registration.version());
    }

    @Override
    public String toString() {
      return driver + " " + version;
    }
  }

  private final PhysicalMemory memory;
  private final Watchdog watchdog = new Watchdog();
  private final Tracer tracer = new Tracer();
  private final ConcurrentMap<Owner, DriverPages> pages = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, DeviceRegions> regions = new ConcurrentHashMap<>();
  private final SwapSpace swap;
  private final FileMappings mappings;
  private final Reclaimer reclaimer;
  private final SwapService swaps;
  private final TaskTable tasks;
  private final FileService files;
  private final SystemCalls calls;
  private final Dispatcher dispatcher;
  private final ProcService proc;
  private final CoreDumpService cores;
  private final DeviceService devices;
  private final DeviceTable table;

  /**
   * @param memoryBytes physical memory, a multiple of the page size
   * @param profile the facts of the machine, for processes that bring none of their own
   * @param log hears of what goes wrong in drivers
   */
  public Kernel(long memoryBytes, KernelProfile profile, DriverLog log) {
    this(memoryBytes, profile, log, OomKiller.Pause.SLEEP);
  }

  /**
   * As {@link #Kernel(long, KernelProfile, DriverLog)}.
   *
   * @param pause how who has no memory waits for others to free some
   */
  public Kernel(
      long memoryBytes, KernelProfile profile, DriverLog log, OomKiller.Pause pause) {
    this.memory = new PhysicalMemory(memoryBytes);
    DeviceTable table = new DeviceTable(memory, watchdog, tracer, log, this::pagesHeld);
    this.mappings = table.mappings();
    this.swap = new SwapSpace(memory);
    MmServices services = new MmServices(memory, swap, table, tracer);
    Populate populate = new Populate(tracer);
    services.setFaults(populate);
    FaultStatistics statistics = new FaultStatistics();
    PageFaultHandler faults = new PageFaultHandler(statistics, tracer);
    CoreDumper dumper = new CoreDumper(message -> log.problem(message, null));
    this.cores = new CoreDumpService(dumper);
    this.tasks = new TaskTable(services, profile, faults, statistics, dumper);
    this.reclaimer = new Reclaimer(memory, swap, services.spaces()::find, table::heldLocks);
    memory.setPressure(reclaimer);
    services.setReclaim(reclaimer);
    faults.setOutOfMemory(new OomKiller(memory, swap, reclaimer, tasks, log, pause));
    this.swaps =
        new SwapService(swap, new SwapHome(swap, tasks::spaces, table.mappings()));
    this.files = new FileService(table);
    this.calls = new SystemCalls(populate, tracer);
    this.dispatcher = new Dispatcher(faults, populate, statistics);
    ReclaimView reclaim = new ReclaimStatus(swap, swaps, reclaimer.watermarks());
    this.proc =
        new ProcService(
            new MachineText(
                memory, table.io()::regions, tasks::spaces, statistics, services.commit(), profile,
                reclaim),
            reclaim);
    this.devices = new DeviceService(table);
    this.table = table;
    table.addUnplugHandler(new DriverUnplug(tasks));
    table.setExchange(new StoppedSpaces(tasks, table), this::accountOf,
        frame -> regions.values().stream().anyMatch(region -> region.has(frame)));
  }

  /** Which drivers there are, for who exchanges and restores them. */
  public DeviceTable deviceTable() {
    return table;
  }

  private long pagesHeld(DeviceRegistration registration) {
    DriverPages held = pages.get(new Owner(registration));
    return held == null ? 0 : held.allocated();
  }

  public Tasks tasks() {
    return tasks;
  }

  public Files files() {
    return files;
  }

  public VmaService calls() {
    return calls;
  }

  public FaultDispatcher faults() {
    return dispatcher;
  }

  public Proc proc() {
    return proc;
  }

  public CoreDumps cores() {
    return cores;
  }

  public Devices devices() {
    return devices;
  }

  /** The memory that the kernel keeps for a driver in all its versions, made at the first call. */
  public DeviceMemory memoryOf(String driver) {
    return regions.computeIfAbsent(driver, name -> new DeviceRegions(memory, name));
  }

  /** What is kept for drivers that are not there: saved states, and regions. */
  public List<KeptMemory> kept() {
    List<KeptMemory> all = new ArrayList<>(table.kept());
    regions.forEach((driver, owned) -> {
      if (!serves(driver)) {
        owned.sizes().forEach(
            (name, pages) -> all.add(new KeptMemory(name, driver, "", pages, 0)));
      }
    });
    return all;
  }

  /**
   * Frees what is kept.
   *
   * @param name a device's path, for what was saved of it; a driver's symbolic name, for all that is
   *     kept for it
   * @return how many states and regions
   */
  public int forget(String name) {
    int count = table.forget(name);
    DeviceRegions owned = serves(name) ? null : regions.get(name);
    if (owned != null) {
      Set<String> names = owned.regions();
      names.forEach(owned::free);
      count += names.size();
    }
    return count;
  }

  private boolean serves(String driver) {
    return table.list().stream().anyMatch(
        device -> device.driver().equals(driver) && device.state() != DeviceInfo.State.GONE);
  }

  /** The I/O regions of a driver that was registered with {@link DeviceRegistration#of}. */
  public IoMemory ioOf(String driver) {
    return ioOf(DeviceRegistration.of(driver));
  }

  /**
   * The I/O regions of a driver; their handlers are this version's.
   *
   * @param owner only {@link DeviceRegistration#driver} and {@link DeviceRegistration#version} count
   */
  public IoMemory ioOf(DeviceRegistration owner) {
    return table.io().of(owner.driver(), owner.version());
  }

  /**
   * Forgets the handlers of a driver's version that is gone. Regions that no version has any more go with
   * them, unless the driver is waited for or areas of it are left: then as soon as that is over.
   *
   * @param owner as for {@link #ioOf(DeviceRegistration)}
   */
  public void releaseIo(DeviceRegistration owner) {
    table.io().release(owner.driver(), owner.version());
  }

  /** The page allocator of a driver that was registered with {@link DeviceRegistration#of}. */
  public PageAllocator pagesFor(String driver) {
    return pagesFor(DeviceRegistration.of(driver));
  }

  /**
   * The page allocator of one driver, made at the first call.
   *
   * @param owner only {@link DeviceRegistration#driver} and {@link DeviceRegistration#version} count
   */
  public PageAllocator pagesFor(DeviceRegistration owner) {
    return accountOf(owner);
  }

  private DriverPages accountOf(DeviceRegistration owner) {
    return pages.computeIfAbsent(
        new Owner(owner), name -> new DriverPages(memory, name.toString()));
  }

  /** As {@link #reclaimPages(DeviceRegistration)}, for {@link #pagesFor(String)}. */
  public long reclaimPages(String driver) {
    return reclaimPages(DeviceRegistration.of(driver));
  }

  /**
   * Takes back what a driver that is gone still holds. Frames without a count of their mappings
   * ({@code remap_pfn_range}) can be handed out again at once: unregister the driver first, which
   * takes them out of all address spaces.
   *
   * @param owner as for {@link #pagesFor(DeviceRegistration)}
   * @return how many pages it had leaked
   */
  public long reclaimPages(DeviceRegistration owner) {
    DriverPages held = pages.remove(new Owner(owner));
    return held == null ? 0 : held.reclaim();
  }

  /** As {@link #reclaimPages(DeviceRegistration)}, for all drivers that there were. */
  public void reclaimAllPages() {
    table.kept().forEach(kept -> table.forget(kept.what()));
    pages.values().forEach(DriverPages::reclaim);
    pages.clear();
    regions.values().forEach(region -> region.regions().forEach(region::free));
  }

  /**
   * Sets who brings in threads for calls into drivers that must not hold up who makes them: those in the
   * middle of a change. Without, which it is at first, they are made on the caller's thread, and one
   * that reacts to no interrupt keeps it, with the address space that it has locked.
   */
  public void setDriverThreads(DriverThreads threads) {
    watchdog.setThreads(threads);
  }

  /** Interrupts driver calls that hang, and those of swap devices; to be run periodically. */
  public Runnable watchdog() {
    return () -> {
      watchdog.run();
      table.tend();
      swap.devices().interruptLate();
    };
  }

  /** The swap devices in use. */
  public SwapService swaps() {
    return swaps;
  }

  /**
   * {@code kswapd}: takes pages out before memory is used up. To be run on a thread of its own, until
   * that is interrupted. Without it those who want memory do it themselves.
   */
  public Runnable reclaim() {
    return reclaimer::runInBackground;
  }

  /**
   * Writes files back that have been dirty for a while; to be run periodically, in Linux every {@code
   * dirty_writeback_centisecs}.
   *
   * @param nanos how long, in nanoseconds ({@code dirty_expire_centisecs}); 0 for all
   */
  public void writeback(long nanos) {
    mappings.writeBack(nanos);
  }

  public void addTraceListener(TraceListener listener) {
    tracer.add(listener);
  }

  public void removeTraceListener(TraceListener listener) {
    tracer.remove(listener);
  }

  /** What physical memory is used for. */
  public FrameCounts frames() {
    return memory.counts();
  }

  /**
   * Checks that all parts agree. For tests, after each step.
   *
   * @throws IllegalStateException naming what is wrong
   */
  public void validate() {
    memory.validate();
    swap.validate();
    FrameAudit audit = new FrameAudit(memory);
    tasks.spaces().forEach(
        space -> {
          space.validate();
          audit.count(space.tables());
        });
    mappings.forEach(
        (inode, mapping) -> {
          if (SharedMemoryPages.isSharedMemory(inode)) {
            audit.count(mapping);
          }
        });
    audit.check();
    mappings.validate();
    audit.check(swap);
  }

  /** Ends all processes and frees the memory. */
  @Override
  public void close() {
    for (Task task : tasks.list()) {
      tasks.kill(task, Signal.SIGKILL);
    }
    // What could not be stored before has a last chance.
    mappings.writeBack(0);
    memory.close();
  }
}
