// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Parking;
import io.faultline.core.memory.DriverPages;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.AccessMode;
import io.faultline.device.FileSystem;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.Upgrade;
import io.faultline.kernel.UpgradeException;
import io.faultline.mm.ErrnoException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * {@code /dev}: which driver stands behind which node, and who has it open. What happens to a driver is
 * one class an operation: {@link Arrival}, {@link Leaving}, {@link Exchange}, {@link Quarantine}; {@link
 * Opening} is {@code open(2)}. Thread-safe.
 */
public final class DeviceTable implements AutoCloseable {
  private final Kernel kernel;
  private final DeviceNodes nodes = new DeviceNodes();
  private final Mounts mounts = new Mounts();
  private final List<UnplugHandler> unplugHandlers = new CopyOnWriteArrayList<>();
  private final Opening opening;
  /** What drivers that are gone have saved. */
  private final KeptStates kept;
  private final AtomicLong generations = new AtomicLong();
  /** Exchanges of drivers, one at a time. */
  private final ReentrantLock exchanging = new ReentrantLock();
  private volatile Surroundings surroundings;

  /**
   * @param memory where frames come from
   * @param watchdog interrupts calls that hang
   * @param tracer hears of calls into drivers
   * @param log hears of what goes wrong in them
   * @param pagesHeld how many frames a driver holds
   */
  public DeviceTable(
      PhysicalMemory memory, Watchdog watchdog, Tracer tracer, DriverLog log,
      ToLongFunction<DeviceRegistration> pagesHeld) {
    this.kernel =
        new Kernel(
            memory, watchdog, tracer, log, pagesHeld, new FileMappings(),
            new IoSpace(memory, watchdog, nodes::isAwaited), new DriverLimits());
    memory.setBus(kernel.io());
    this.opening = new Opening(nodes, mounts, new FileSystems(this, kernel));
    this.kept = new KeptStates(memory, log);
    this.surroundings =
        new Surroundings(
            StopWorld.NONE, owner -> new DriverPages(memory, owner.driver()), frame -> false);
  }

  /**
   * What an exchange of drivers needs of the rest of the kernel; set once, before anything is
   * registered.
   *
   * @param stopWorld brings address spaces to a halt
   * @param accounts the pages of a driver
   * @param kept whether the kernel itself keeps a frame, whatever becomes of drivers
   */
  public void setExchange(
      StopWorld stopWorld, Function<DeviceRegistration, DriverPages> accounts,
      Predicate<Long> kept) {
    surroundings = new Surroundings(stopWorld, accounts, kept);
  }

  /**
   * @param errors so many of one driver are forgiven; one more, and it is quarantined. 0 for any
   *     number
   */
  public void setErrorBudget(long errors) {
    kernel.limits().setErrorBudget(errors);
  }

  /**
   * @param millis how long accesses wait for a driver that was removed to come back, before its {@link
   *     io.faultline.device.UnplugPolicy} answers
   */
  public void setGapMillis(long millis) {
    kernel.limits().setGapMillis(millis);
  }

  /**
   * @param bytes how much of what drivers that went have saved is kept at most, pages and all; 0 for
   *     nothing, as it is at first
   */
  public void setKeptBytes(long bytes) {
    kept.setLimit(bytes);
  }

  /** What is kept of devices whose drivers are gone. */
  public List<KeptMemory> kept() {
    return kept.list();
  }

  /**
   * Frees what is kept.
   *
   * @param name a device's path or a driver's symbolic name
   * @return of how many devices
   */
  public int forget(String name) {
    return kept.forget(name);
  }

  /** Frees what a version of a driver has saved. */
  public void forget(String driver, String version) {
    kept.forget(driver, version);
  }

  private StateKeeper keeper() {
    return new StateKeeper(kernel, surroundings.world(), kept);
  }

  /** What quarantine has left to do; to be run every now and then by a thread without locks. */
  public void tend() {
    for (Driver next = kernel.limits().nextToZap(); next != null;
        next = kernel.limits().nextToZap()) {
      Driver driver = next;
      if (driver.isQuarantined() && !surroundings.world().tryZap(driver::serves)) {
        kernel.limits().quarantined(driver);
        return;
      }
    }
  }

  /**
   * Brings quarantined drivers back.
   *
   * @param name a path, or the driver's symbolic name
   * @return how many nodes came back
   */
  public int restore(String name) {
    int count = 0;
    for (Driver driver : nodes.drivers()) {
      if (!driver.isQuarantined()
          || !driver.paths().contains(name) && !driver.registration().driver().equals(name)) {
        continue;
      }
      count += new Quarantine(kernel, surroundings.world()).end(driver);
    }
    return count;
  }

  /**
   * Puts drivers in the place of others, all of them or none.
   *
   * @param successors in their order: who goes, and who comes
   * @throws UpgradeException when a step fails; the old drivers serve on
   */
  public Replaced replace(List<Successor> successors) throws UpgradeException {
    Successors entering = new Successors(kernel, nodes, this::create);
    List<Exchange.Pair> pairs = entering.of(successors);
    Surroundings rest = surroundings;
    exchanging.lock();
    try {
      Upgrade upgrade =
          new Exchange(kernel, rest.world(), rest.pages(), rest.keptByKernel(), pairs)
              .run(entering::enter);
      for (Exchange.Pair pair : pairs) {
        kernel.tracer().emit(
            TraceEvent.Kind.DRIVER, 0, pair.next().nodes().getFirst().owner(), 0, 0,
            pair.next().name() + " has taken over from " + pair.old().name());
      }
      return new Replaced(pairs.stream().map(Exchange.Pair::next).toList(), upgrade);
    } finally {
      exchanging.unlock();
    }
  }

  /**
   * The new drivers, in the order of their predecessors.
   *
   * @param upgrade what was done
   */
  public record Replaced(List<Driver> drivers, Upgrade upgrade) {}

  /** Adds one that takes a driver's pages out of address spaces before the driver goes. */
  public void addUnplugHandler(UnplugHandler handler) {
    unplugHandlers.add(handler);
  }

  /**
   * Registers a driver.
   *
   * @param wanted its nodes; with a major number of 0 it gets a free one
   * @return the driver; closing it unregisters it
   * @throws IllegalArgumentException when a name, a number or a limit is malformed or taken
   */
  public Driver register(DeviceRegistration wanted, MmapProvider provider) {
    return new Arrival(kernel, nodes, kept, this::create)
        .run(wanted, provider, surroundings, keeper());
  }

  /** Goes up with every driver that comes. */
  public long generation() {
    return generations.get();
  }

  /**
   * Where {@code open(2)} waits for the driver of a node that is to come back; null when it is there, or
   * is waited for no more.
   */
  public @Nullable Parking parking(String path) {
    return nodes.parking(path);
  }

  /**
   * Mounts a file system.
   *
   * @param wanted its name, its driver and its time limit
   * @return the driver; closing it unmounts it
   * @throws IllegalArgumentException when the mount point is malformed or taken
   */
  public Driver mount(String mountPoint, DeviceRegistration wanted, FileSystem fileSystem) {
    Driver driver = create(wanted, fileSystem);
    DeviceNode node = new DeviceNode(kernel, driver, wanted.name(), 0, null);
    driver.nodes().add(node);
    mounts.add(mountPoint, node);
    kernel.tracer().emit(
        TraceEvent.Kind.DRIVER, 0, node.owner(), 0, 0, driver.name() + " mounted on " + mountPoint);
    return driver;
  }

  /** Who finds page-table entries; set once, before anything is opened. */
  public void setFileRmap(FileRmap rmap) {
    kernel.mappings().setRmap(rmap);
  }

  private Driver create(DeviceRegistration registration, MmapProvider provider) {
    try {
      return new Driver(this, registration, generations.incrementAndGet(), provider);
    } catch (LinkageError e) {
      throw new IllegalArgumentException(
          "provider: the class of driver " + registration.driver() + " cannot be linked: "
              + Failures.line(e),
          e);
    }
  }

  /** A driver without nodes: the files of a file system. */
  Driver create(String fileSystem, MmapProvider provider) {
    return create(
        new DeviceRegistration(fileSystem, 0, 0, 1, FileSystems.TIMEOUT_MILLIS, fileSystem, ""),
        provider);
  }

  /**
   * Takes a driver away. Its nodes vanish at once; calls under way are given their time; what it saves
   * is kept; the {@link UnplugHandler}s close its areas and its open files are released, while its code is
   * still there; then nothing refers to it any more. Files and areas that are left answer ENXIO and SIGBUS.
   *
   * <p>Returns when that is done. A call that hangs holds it up for the driver's time limit at most.
   *
   * @param keep whether it is asked what to save
   */
  void unregister(Driver driver, boolean keep) {
    new Leaving(kernel, nodes, mounts, unplugHandlers)
        .run(driver, keep ? keeper() : null, surroundings);
  }

  void fileClosed(DeviceNode node) {
    nodes.fileClosed(node);
  }

  /** Unregisters every driver. */
  @Override
  public void close() {
    nodes.drivers().forEach(Driver::discard);
    kept.clear();
  }

  /** As {@link #open(String, AccessMode, boolean, Credentials)}, by root. */
  public OpenFileObject open(String path, AccessMode mode, boolean append) throws ErrnoException {
    return open(path, mode, append, Credentials.ROOT);
  }

  /**
   * {@code open(2)} of a device node.
   *
   * @param who opens it
   * @return an open file with one reference, the descriptor's
   * @throws ErrnoException ENOENT when there is no such node, EACCES when its mode keeps them out,
   *     ENXIO when its driver is gone; what the driver throws; EIO, ENOMEM or ETIMEDOUT when it fails
   *     in another way
   */
  public OpenFileObject open(String path, AccessMode mode, boolean append, Credentials who)
      throws ErrnoException {
    return opening.open(path, mode, append, who);
  }

  /**
   * Opens a file whose inode is at hand: by its own provider, or, for a device node, by the driver of
   * the number that it {@link Inode#represents}. A file with neither can be opened, and nothing else.
   *
   * @return an open file with one reference, the descriptor's
   * @throws ErrnoException ENXIO when there is no driver of that number; what the provider throws;
   *     EIO, ENOMEM or ETIMEDOUT when it fails in another way
   */
  public OpenFileObject open(Inode inode, AccessMode mode, boolean append) throws ErrnoException {
    return opening.open(inode, mode, append);
  }

  /** What lies behind memory. */
  public IoSpace io() {
    return kernel.io();
  }

  /** The files whose pages the kernel keeps itself. */
  public FileMappings mappings() {
    return kernel.mappings();
  }

  /**
   * Whether the calling thread is inside a driver's callback. Where it waits then, it must let itself
   * be interrupted: the watchdog can end no other wait.
   */
  public boolean inDriverCall() {
    return kernel.watchdog().inDriverCall();
  }

  /** The locks that the calling thread holds. */
  public HeldLocks heldLocks() {
    return kernel.watchdog().heldLocks();
  }

  /** A snapshot of all nodes by path, those that are gone but in use included. */
  public List<DeviceInfo> list() {
    return nodes.list();
  }

  /** The node of a path; one that is gone but in use only if no other has its name. */
  public Optional<DeviceInfo> find(String path) {
    DeviceNode node = nodes.find(path);
    return node == null ? Optional.empty() : Optional.of(node.info());
  }

  /** How long the calls into the driver of a node take. */
  public Optional<CallTimes> times(String path) {
    DeviceNode node = nodes.find(path);
    return node == null ? Optional.empty() : Optional.of(node.times());
  }
}
