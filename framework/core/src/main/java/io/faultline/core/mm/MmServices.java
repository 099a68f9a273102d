// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.Tracer;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.swap.SwapReader;
import io.faultline.core.swap.SwapSpace;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What all address spaces of one kernel share. Made once; {@link #setFaults} closes the one circle
 * (faults need spaces, spaces need faults) before the first space is made.
 */
public final class MmServices {
  private final PhysicalMemory memory;
  private final DeviceTable devices;
  private final Tracer tracer;
  private final CommitAccount commit = new CommitAccount();
  private final KernelObjectNames names = new KernelObjectNames();
  private final SharedMemory sharedMemory;
  private final AddressSpaces spaces = new AddressSpaces();
  private final SwapSpace swap;
  private final SwapReader swapReader;
  private final FileRmapWalk fileRmap;
  /** {@code fs.aio-nr}: the events of all contexts of all processes. */
  private final AtomicLong aioEvents = new AtomicLong();
  private @Nullable PageFaults faults;
  private @Nullable PageReclaim reclaim;

  public MmServices(
      PhysicalMemory memory, SwapSpace swap, DeviceTable devices, Tracer tracer) {
    this.memory = memory;
    this.devices = devices;
    this.tracer = tracer;
    this.fileRmap = new FileRmapWalk(spaces);
    devices.setFileRmap(fileRmap);
    this.swap = swap;
    this.swapReader = new SwapReader(memory, swap);
    this.sharedMemory = new SharedMemory(memory, swap, swapReader, devices);
  }

  public void setFaults(PageFaults pageFaults) {
    faults = pageFaults;
  }

  public void setReclaim(PageReclaim pageReclaim) {
    reclaim = pageReclaim;
  }

  public SwapSpace swap() {
    return swap;
  }

  public SwapReader swapReader() {
    return swapReader;
  }

  PageReclaim reclaim() {
    return Objects.requireNonNull(reclaim, "reclaim is not set");
  }

  public PhysicalMemory memory() {
    return memory;
  }

  public DeviceTable devices() {
    return devices;
  }

  public Tracer tracer() {
    return tracer;
  }

  /** All address spaces by process number. */
  public AddressSpaces spaces() {
    return spaces;
  }

  /** What has been promised to all processes. */
  public CommitAccount commit() {
    return commit;
  }

  KernelObjectNames names() {
    return names;
  }

  SharedMemory sharedMemory() {
    return sharedMemory;
  }

  /** The way from a file's pages to all entries that map them. */
  FileRmapWalk fileRmap() {
    return fileRmap;
  }

  AtomicLong aioEvents() {
    return aioEvents;
  }

  PageFaults faults() {
    return Objects.requireNonNull(faults, "faults are not set");
  }
}
