// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapzram;

import io.faultline.device.RequireFaultline;
import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.Designate;

/**
 * Swap space that is memory again: pages compressed by LZ4.
 *
 * <p>The component's end is not the device's: the kernel reads on until it has moved all pages home,
 * and then calls {@link #swapoff}.
 */
@Component(name = SwapZram.PID)
@Designate(ocd = SwapZramConfig.class)
@RequireFaultline
public final class SwapZram implements SwapDevice {
  static final String PID = "io.faultline.driver.swapzram";
  static final int PAGE = 4096;

  private final String name;
  private final long slots;
  private final long limit;
  private volatile @Nullable Store store;

  /** With Config Admin's values. */
  @Activate
  public SwapZram(SwapZramConfig config) {
    this(config.name(), config.size_bytes() / PAGE, config.memory_limit_bytes());
  }

  /**
   * @param slots how many pages
   * @param limit bytes of memory; 0: none
   * @throws IllegalArgumentException when it could hold nothing, or its name has blanks
   */
  SwapZram(String name, long slots, long limit) {
    if (name.isBlank() || name.chars().anyMatch(Character::isWhitespace)) {
      throw new IllegalArgumentException("name: '" + name + "' is empty or has blanks in it");
    }
    if (slots < 1) {
      throw new IllegalArgumentException("size.bytes: a page at least, that is 4096");
    }
    if (limit < 0 || limit > 0 && limit < Pool.CHUNK) {
      throw new IllegalArgumentException("memory.limit.bytes: 65536 at least, or 0 for no limit");
    }
    this.name = name;
    this.slots = slots;
    this.limit = limit;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long slots() {
    return slots;
  }

  @Override
  public void swapon() throws IOException {
    if (store != null) {
      throw new IOException(name + " is active");
    }
    store = new Store(slots, limit);
  }

  @Override
  public void swapoff() {
    Store over = store;
    store = null;
    if (over != null) {
      over.close();
    }
  }

  @Override
  public void write(long[] at, MemorySegment[] pages) throws IOException {
    active().put(at, pages);
  }

  @Override
  public void read(long[] at, MemorySegment[] pages) throws IOException {
    active().get(at, pages);
  }

  @Override
  public void free(long[] at) {
    Store active = store;
    if (active != null) {
      active.free(at);
    }
  }

  /** How well it does. */
  MmStat stat() {
    Store active = store;
    return active == null ? MmStat.NOTHING : active.stat();
  }

  private Store active() throws IOException {
    Store active = store;
    if (active == null) {
      throw new IOException(name + " is not active; swapon comes first");
    }
    return active;
  }
}
