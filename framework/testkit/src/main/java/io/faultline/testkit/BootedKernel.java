// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import io.faultline.core.component.DriverThreadPool;
import io.faultline.core.device.Watchdog;
import io.faultline.core.memory.FrameCounts;
import io.faultline.device.DeviceMemory;
import io.faultline.device.IoMemory;
import io.faultline.device.PageAllocator;
import io.faultline.kernel.CoreDumps;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.TraceListener;
import io.faultline.kernel.VmaService;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * A kernel that runs in this JVM, put together without a container. A daemon thread interrupts
 * drivers that hang. Thread-safe.
 */
public final class BootedKernel implements Kernel, AutoCloseable {
  private final io.faultline.core.Kernel core;
  private final List<String> problems = new CopyOnWriteArrayList<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread watchdog;
  private final FrameCounts atBoot;

  private BootedKernel(long memoryBytes, KernelProfile profile) {
    core = new io.faultline.core.Kernel(
        memoryBytes, profile, (message, stackTrace) -> problems.add(message));
    core.setDriverThreads(new DriverThreadPool());
    atBoot = core.frames();
    watchdog = Thread.ofPlatform().name("faultline-watchdog").daemon().start(this::watch);
  }

  /**
   * Boots.
   *
   * @param memoryBytes physical memory, a multiple of the page size
   * @param profile the facts of the machine
   */
  public static BootedKernel boot(long memoryBytes, KernelProfile profile) {
    return new BootedKernel(memoryBytes, profile);
  }

  private void watch() {
    while (!closed.get()) {
      core.watchdog().run();
      LockSupport.parkNanos(Watchdog.PERIOD_MILLIS * 1_000_000L);
    }
  }

  @Override
  public Tasks tasks() {
    return core.tasks();
  }

  @Override
  public Files files() {
    return core.files();
  }

  @Override
  public VmaService vmas() {
    return core.calls();
  }

  @Override
  public FaultDispatcher faults() {
    return core.faults();
  }

  @Override
  public Devices devices() {
    return core.devices();
  }

  @Override
  public Proc proc() {
    return core.proc();
  }

  @Override
  public Swaps swaps() {
    return core.swaps();
  }

  @Override
  public CoreDumps cores() {
    return core.cores();
  }

  @Override
  public PageAllocator pages(String driver) {
    return core.pagesFor(driver);
  }

  /**
   * The page allocator of one version of a driver: two versions of which one follows the other have
   * accounts of their own, as their bundles would.
   *
   * @param owner only {@link DeviceRegistration#driver} and {@link DeviceRegistration#version} count
   */
  public PageAllocator pages(DeviceRegistration owner) {
    return core.pagesFor(owner);
  }

  /** The memory that the kernel keeps for a driver in all its versions. */
  public DeviceMemory memory(String driver) {
    return core.memoryOf(driver);
  }

  /** The I/O regions of a driver that is registered with {@link DeviceRegistration#of}. */
  public IoMemory io(String driver) {
    return core.ioOf(driver);
  }

  /**
   * The I/O regions of a driver; the handlers are this version's.
   *
   * @param owner only {@link DeviceRegistration#driver} and {@link DeviceRegistration#version} count
   */
  public IoMemory io(DeviceRegistration owner) {
    return core.ioOf(owner);
  }

  /**
   * Forgets the handlers of a driver's version, and regions that no version has: what happens when a
   * bundle stops, once its drivers are unregistered.
   *
   * @param owner only {@link DeviceRegistration#driver} and {@link DeviceRegistration#version} count
   */
  public void releaseIo(DeviceRegistration owner) {
    core.releaseIo(owner);
  }

  /**
   * Sets how many errors of one driver are forgiven before it is quarantined; 0 for any number, which
   * it is at first.
   */
  public void errorBudget(long errors) {
    core.deviceTable().setErrorBudget(errors);
  }

  /** Sets how long accesses wait for a driver that was removed, in milliseconds; at first 0. */
  public void gapMillis(long millis) {
    core.deviceTable().setGapMillis(millis);
  }

  /**
   * Sets how much is kept of what drivers saved when they were removed, in bytes, pages and all; at
   * first 0, for nothing.
   */
  public void keptBytes(long bytes) {
    core.deviceTable().setKeptBytes(bytes);
  }

  /** What is kept for drivers that are not there. */
  public List<KeptMemory> kept() {
    return core.kept();
  }

  /**
   * Frees what is kept.
   *
   * @param name a device's path or a driver's name
   * @return how many states and regions went
   */
  public int forget(String name) {
    return core.forget(name);
  }

  /**
   * Brings quarantined devices back.
   *
   * @param name a device's path or a driver's name
   * @return how many devices came back
   */
  public int restore(String name) {
    return core.deviceTable().restore(name);
  }

  /** Lets a listener hear what the kernel does, until the kernel is closed. */
  public void trace(TraceListener listener) {
    core.addTraceListener(listener);
  }

  /** What physical memory is used for. */
  public FrameCounts frames() {
    return core.frames();
  }

  /** What drivers did wrong so far, a line each, as the system's log has it. */
  public List<String> problems() {
    return List.copyOf(problems);
  }

  /**
   * Checks that trees, counters, page tables and frames agree.
   *
   * @throws AssertionError naming what is wrong
   */
  public void validate() {
    try {
      core.validate();
    } catch (IllegalStateException wrong) {
      throw new AssertionError("the kernel is inconsistent: " + wrong.getMessage(), wrong);
    }
  }

  /**
   * Validates, ends all processes, takes back what drivers hold, and looks for what is left. A second
   * call does nothing.
   *
   * @throws AssertionError when the kernel's parts disagree, or a frame is left that nobody can free
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    LockSupport.unpark(watchdog);
    try (core) {
      validate();
      for (Task task : tasks().list()) {
        tasks().exit(task, 0);
      }
      validate();
      // References that the drivers' own code holds go first: what is left then, the kernel lost.
      core.reclaimAllPages();
      checkNoFrameLeaked();
    }
  }

  private void checkNoFrameLeaked() {
    FrameCounts left = frames();
    if (!left.equals(atBoot)) {
      throw new AssertionError(
          "all processes are gone, but frames are left: at boot " + atBoot + ", now " + left);
    }
  }
}
