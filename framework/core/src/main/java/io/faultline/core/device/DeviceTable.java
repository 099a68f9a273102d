// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Parking;
import io.faultline.core.memory.DriverPages;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
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
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** {@code /dev}: which driver stands behind which node, and who has it open. Thread-safe. */
public final class DeviceTable implements AutoCloseable {

  /** Where device nodes live: devtmpfs, on a device of its own. */
  private static final DeviceNumber DEVTMPFS = new DeviceNumber(0, 6);

  private final Kernel kernel;
  private final FileSystems fileSystems;
  private final Mounts mounts = new Mounts();
  private final List<UnplugHandler> unplugHandlers = new CopyOnWriteArrayList<>();
  private final Map<String, DeviceNode> byPath = new ConcurrentHashMap<>();
  private final Map<DeviceNumber, DeviceNode> byNumber = new ConcurrentHashMap<>();
  private final DeviceNumbers numbers = new DeviceNumbers(byNumber);
  /** Nodes whose driver is gone, as long as files are open. */
  private final Set<DeviceNode> gone = ConcurrentHashMap.newKeySet();

  /** Drivers that may come back, by the paths of their nodes, for those who want to open them. */
  private final Map<String, Driver> awaited = new ConcurrentHashMap<>();
  /** What drivers that are gone have saved. */
  private final KeptStates kept;
  private final AtomicLong generations = new AtomicLong();
  /** Exchanges of drivers, one at a time. */
  private final ReentrantLock exchanging = new ReentrantLock();
  private volatile StopWorld world = StopWorld.NONE;
  private volatile Function<DeviceRegistration, DriverPages> pages;
  private volatile Predicate<Long> keptByKernel = frame -> false;

  // Guarded by this object's monitor.
  private long inodes = 1;

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
            new IoSpace(memory, watchdog, this::isAwaited), new DriverLimits());
    memory.setBus(kernel.io());
    this.fileSystems = new FileSystems(this, kernel);
    this.kept = new KeptStates(memory, log);
    this.pages = owner -> new DriverPages(memory, owner.driver());
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
    world = stopWorld;
    pages = accounts;
    keptByKernel = kept;
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
    return new StateKeeper(kernel, world, kept);
  }

  /** What quarantine has left to do; to be run every now and then by a thread without locks. */
  public void tend() {
    for (Driver next = kernel.limits().nextToZap(); next != null;
        next = kernel.limits().nextToZap()) {
      Driver driver = next;
      if (driver.isQuarantined() && !world.tryZap(driver::serves)) {
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
    for (Driver driver : byPath.values().stream().map(DeviceNode::driver).distinct().toList()) {
      if (!driver.isQuarantined()
          || !driver.paths().contains(name) && !driver.registration().driver().equals(name)) {
        continue;
      }
      count += new Quarantine(kernel, world).end(driver);
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
    List<Exchange.Pair> pairs = new ArrayList<>();
    for (Successor successor : successors) {
      pairs.add(new Exchange.Pair(successor.old, successorOf(successor)));
    }
    exchanging.lock();
    try {
      Upgrade upgrade =
          new Exchange(kernel, world, pages, keptByKernel, pairs).run(this::enter);
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
   * Who is to take a driver's place.
   *
   * @param registration the same name; nodes that are missing in it must be in no use
   */
  public record Successor(Driver old, DeviceRegistration registration, MmapProvider provider) {}

  /**
   * The new drivers, in the order of their predecessors.
   *
   * @param upgrade what was done
   */
  public record Replaced(List<Driver> drivers, Upgrade upgrade) {}

  /** A driver with nodes that have the old ones' files, and with further ones; not yet in the table. */
  private Driver successorOf(Successor successor) throws UpgradeException {
    DeviceRegistration before = successor.old.registration();
    DeviceRegistration wanted = successor.registration;
    if (!wanted.name().equals(before.name())) {
      throw new UpgradeException(
          UpgradeException.Step.MATCH,
          "%s has nodes of name %s, its successor of name %s; they must be the same".formatted(
              before.driver(), before.name(), wanted.name()));
    }
    if (wanted.major() != 0
        && (wanted.major() != before.major() || wanted.minor() != before.minor())) {
      throw new UpgradeException(
          UpgradeException.Step.MATCH,
          "%s has the number %d, %d, its successor wants %d, %d".formatted(
              before.name(), before.major(), before.minor(), wanted.major(), wanted.minor()));
    }
    try {
      NodeNames.check(wanted);
      DeviceRegistration registration =
          new DeviceRegistration(
              wanted.name(), before.major(), before.minor(), wanted.count(),
              wanted.timeoutMillis(), wanted.driver(), wanted.version(), wanted.unplug(),
              wanted.mode());
      Driver driver = create(registration, successor.provider);
      List<String> paths = NodeNames.paths(registration);
      for (int i = 0; i < paths.size(); i++) {
        Inode inode = inodeOfSuccessor(successor.old, paths.get(i), i, registration);
        driver.nodes().add(new DeviceNode(kernel, driver, paths.get(i), i, inode));
      }
      return driver;
    } catch (IllegalArgumentException e) {
      throw new UpgradeException(UpgradeException.Step.MATCH, String.valueOf(e.getMessage()));
    }
  }

  /**
   * That of the old driver's node, which keeps its number, or a new one.
   *
   * @throws IllegalArgumentException when another driver has the name or the number
   */
  private synchronized @Nullable Inode inodeOfSuccessor(
      Driver old, String path, int index, DeviceRegistration registration) {
    DeviceNode other = byPath.get(path);
    if (other != null && other.driver() == old) {
      return other.inode();
    }
    DeviceNumber number =
        new DeviceNumber(registration.major(), registration.minor() + index);
    DeviceNode taken = byNumber.get(number);
    DeviceNode inTheWay = taken != null && taken.driver() != old ? taken : other;
    if (inTheWay != null) {
      throw new IllegalArgumentException(
          "%s, %s: the name or the number is taken by %s of driver %s".formatted(
              path, number, inTheWay.owner(), inTheWay.driver().name()));
    }
    return inode(path, number, List.of());
  }

  private synchronized void enter(List<Exchange.Pair> pairs) throws UpgradeException {
    checkStillFree(pairs);
    for (Exchange.Pair pair : pairs) {
      for (DeviceNode node : pair.old().nodes()) {
        DeviceNode heir = pair.heir(node);
        if (heir == null) {
          byPath.remove(node.owner(), node);
          byNumber.remove(node.number(), node);
        } else {
          heir.continueFrom(node);
        }
      }
      for (DeviceNode node : pair.next().nodes()) {
        byPath.put(node.owner(), node);
        byNumber.put(node.number(), node);
      }
    }
  }

  /** Others may have registered since the successors were made; two successors may want the same. */
  private void checkStillFree(List<Exchange.Pair> pairs) throws UpgradeException {
    Set<Object> wanted = new HashSet<>();
    for (Exchange.Pair pair : pairs) {
      for (DeviceNode node : pair.next().nodes()) {
        DeviceNode byName = byPath.get(node.owner());
        DeviceNode same = byNumber.get(node.number());
        boolean taken = byName != null && byName.driver() != pair.old()
            || same != null && same.driver() != pair.old();
        if (taken | !wanted.add(node.owner()) | !wanted.add(node.number())) {
          throw new UpgradeException(
              UpgradeException.Step.MATCH,
              "%s, %s: the name or the number was taken meanwhile; choose another".formatted(
                  node.owner(), node.number()));
        }
      }
    }
  }

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
    NodeNames.check(wanted);
    Driver driver;
    List<DeviceNode> left;
    boolean takesOver;
    synchronized (this) {
      List<String> paths = NodeNames.paths(wanted);
      for (String path : paths) {
        DeviceNode other = byPath.get(path);
        if (other != null) {
          throw new IllegalArgumentException(
              "name: " + path + " is taken by driver " + other.driver().name()
                  + "; choose another name, or remove that driver first");
        }
      }
      left = gone.stream().filter(node -> paths.contains(node.owner())).toList();
      DeviceRegistration registration = numbers.withMajor(numbers.asBefore(wanted, left));
      driver = create(registration, provider);
      for (int i = 0; i < registration.count(); i++) {
        DeviceNumber number = new DeviceNumber(registration.major(), registration.minor() + i);
        Inode inode = inode(paths.get(i), number, left);
        DeviceNode node = new DeviceNode(kernel, driver, paths.get(i), i, inode);
        driver.nodes().add(node);
      }
      kept.returned(provider);
      takesOver = driver.handsOver() && (!left.isEmpty() || kept.has(driver));
      if (takesOver) {
        driver.beginTakeOver();
      }
      for (DeviceNode node : driver.nodes()) {
        byPath.put(node.owner(), node);
        byNumber.put(node.number(), node);
      }
    }
    kernel.tracer().emit(
        TraceEvent.Kind.DRIVER, 0, driver.nodes().getFirst().owner(), 0, 0,
        driver.name() + " registered");
    if (takesOver) {
      try {
        new Replug(kernel, world, keeper())
            .attach(driver, pages.apply(driver.registration()), left);
      } finally {
        driver.endTakeOver();
      }
    }
    left.forEach(this::fileClosed);
    for (String path : driver.paths()) {
      Driver before = awaited.remove(path);
      if (before != null) {
        before.awake();
      }
    }
    return driver;
  }

  /** Goes up with every driver that comes. */
  public long generation() {
    return generations.get();
  }

  /**
   * Where {@code open(2)} waits for the driver of a node that is to come back; null when it is there, or
   * is waited for no more. With the monitor held: who finds a driver that begins to leave comes here.
   */
  public synchronized @Nullable Parking parking(String path) {
    Driver driver = awaited.get(path);
    if (driver == null || byPath.containsKey(path)) {
      return null;
    }
    boolean waits =
        driver.isGone()
            ? driver.isInGap() || driver.parks() && gone.contains(driver.nodeOf(path))
            : driver.parks();
    if (!waits) {
      awaited.remove(path, driver);
      return null;
    }
    return driver;
  }

  /**
   * Whether a bundle may come back to what its drivers left: one is about to leave, is waited for, or has
   * left areas. Takes no lock.
   *
   * @param name symbolic
   */
  private boolean isAwaited(String name) {
    return gone.stream().anyMatch(node -> isOf(node.driver(), name)
        && (!node.driver().isGone() || node.isMapped()))
        || awaited.values().stream().anyMatch(driver -> isOf(driver, name)
            && (!driver.isGone() || driver.isInGap()));
  }

  private static boolean isOf(Driver driver, String name) {
    return driver.registration().driver().equals(name);
  }

  /** That of a node of the same name and number that is left, or else a new one. */
  private Inode inode(String path, DeviceNumber number, List<DeviceNode> left) {
    for (DeviceNode node : left) {
      Inode inode = node.inode();
      if (inode != null && node.owner().equals(path) && node.number().equals(number)) {
        return inode;
      }
    }
    return Inode.builder(FileKind.CHARACTER_DEVICE, path)
        .identity(DEVTMPFS, ++inodes).fileSystem("devtmpfs", false).represents(number).build();
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
   * is kept; the {@link UnplugHandler}s close its areas and its open files are released, while its code is still there;
   * then nothing refers to it any more. Files and areas that are left answer ENXIO and SIGBUS.
   *
   * <p>Returns when that is done. A call that hangs holds it up for the driver's time limit at most.
   *
   * @param keep whether it is asked what to save
   */
  void unregister(Driver driver, boolean keep) {
    boolean leaving = false;
    while (!leaving) {
      boolean unused = driver.awaitExchangeEnd(true);
      leaving = leave(driver);
      if (!leaving && !driver.isExchanging()) {
        return;
      }
    }
    long limit = driver.registration().timeoutMillis() + 5L * Watchdog.PERIOD_MILLIS;
    int slow = kernel.watchdog().drain(driver, limit);
    if (keep) {
      try {
        keeper().save(driver, pages.apply(driver.registration()), slow);
      } catch (RuntimeException | Error e) {
        // It goes all the same, and with it its areas.
        kernel.log().problem(
            "the state of driver " + driver.name() + " is not kept: " + Failures.line(e),
            Failures.trace(e));
      }
    }
    for (UnplugHandler handler : unplugHandlers) {
      try {
        handler.unplug(driver);
      } catch (RuntimeException | Error e) {
        kernel.log().problem(
            "areas of driver " + driver.name() + " could not be closed: " + Failures.line(e),
            Failures.trace(e));
      }
    }
    kernel.mappings().unmount(driver);
    for (DeviceNode node : driver.nodes()) {
      node.files().forEach(OpenFileObject::hangUp);
    }
    driver.openGap(driver.hasGap() ? kernel.limits().gapMillis() : 0);
    driver.revoke();
    kernel.io().revoke(driver);
    int stuck = kernel.watchdog().drain(driver, limit);
    if (stuck > 0) {
      kernel.log().problem(
          "driver " + driver.name() + " is gone, but " + stuck
              + " of its calls react to no interrupt and keep their threads",
          null);
    }
    driver.nodes().forEach(DeviceNode::revoke);
    driver.nodes().forEach(this::fileClosed);
    if (!driver.nodes().isEmpty()) {
      kernel.tracer().emit(
          TraceEvent.Kind.DRIVER, 0, driver.nodes().getFirst().owner(), 0, 0,
          driver.name() + " unregistered");
    }
  }

  private synchronized boolean leave(Driver driver) {
    if (!driver.leave(kernel.limits().gapMillis())) {
      return false;
    }
    mounts.remove(driver);
    for (DeviceNode node : driver.nodes()) {
      // First: who looks without the monitor finds it in one of the two.
      gone.add(node);
      byPath.remove(node.owner(), node);
      byNumber.remove(node.number(), node);
      if (node.inode() != null && driver.parks()) {
        awaited.put(node.owner(), driver);
      }
    }
    awaited.values().removeIf(other -> other.isGone() && !other.parks());
    return true;
  }

  /** A gone device whose last file is closed leaves no trace. */
  void fileClosed(DeviceNode node) {
    if (node.driver().isGone() && node.files().isEmpty()) {
      gone.remove(node);
    }
  }

  /** Unregisters every driver. */
  @Override
  public void close() {
    byPath.values().stream().map(DeviceNode::driver).distinct().forEach(Driver::discard);
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
    DeviceNode node = byPath.get(path);
    while (node != null) {
      node.checkPermission(mode, who);
      try {
        return open(node, inodeOf(node), mode, append);
      } catch (ErrnoException refused) {
        DeviceNode now = byPath.get(path);
        if (refused.errno() != Errno.ENXIO || now == null || now == node) {
          throw refused;
        }
        // Exchanged meanwhile.
        node = now;
      }
    }
    Mounts.Found found = mounts.find(path, mode);
    if (found != null) {
      return open(found.node(), found.inode(), mode, append);
    }
    if (gone.stream().anyMatch(g -> g.owner().equals(path))) {
      throw new ErrnoException(Errno.ENXIO, "path: the driver of " + path + " is gone");
    }
    throw new ErrnoException(
        Errno.ENOENT, "path: there is no " + path
            + (path.startsWith("/dev/")
                ? ""
                : "; a device's path begins with /dev/, a file's where its file system is mounted"));
  }

  private static Inode inodeOf(DeviceNode node) {
    Inode inode = node.inode();
    if (inode == null) {
      throw new IllegalStateException(node.owner() + " has no inode");
    }
    return inode;
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
    MmapProvider provider = inode.provider();
    DeviceNode node;
    if (provider == null && inode.kind() == FileKind.CHARACTER_DEVICE) {
      node = byNumber.get(inode.represents());
      if (node == null) {
        throw new ErrnoException(
            Errno.ENXIO, "inode: no driver serves device " + inode.represents() + " of "
                + inode.path());
      }
    } else {
      node = fileSystems.node(provider, inode.fileSystem());
    }
    return open(node, inode, mode, append);
  }

  private static OpenFileObject open(
      DeviceNode node, Inode inode, AccessMode mode, boolean append) throws ErrnoException {
    OpenFileObject file = new OpenFileObject(node, inode, mode, append);
    file.open();
    return file;
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

  /** A snapshot of all nodes by path, those that are gone but in use included. */
  public List<DeviceInfo> list() {
    return Stream.concat(byPath.values().stream(), gone.stream()).distinct().map(DeviceNode::info)
        .sorted(Comparator.comparing(DeviceInfo::path)).toList();
  }

  /** The node of a path; one that is gone but in use only if no other has its name. */
  public Optional<DeviceInfo> find(String path) {
    DeviceNode node = nodeOf(path);
    return node == null ? Optional.empty() : Optional.of(node.info());
  }

  /** How long the calls into the driver of a node take. */
  public Optional<CallTimes> times(String path) {
    DeviceNode node = nodeOf(path);
    return node == null ? Optional.empty() : Optional.of(node.times());
  }

  private @Nullable DeviceNode nodeOf(String path) {
    DeviceNode node = byPath.get(path);
    return node != null
        ? node
        : gone.stream().filter(g -> g.owner().equals(path)).findFirst().orElse(null);
  }
}
