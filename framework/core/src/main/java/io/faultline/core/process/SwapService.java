// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.fault.SwapHome;
import io.faultline.core.swap.SwapArea;
import io.faultline.core.swap.SwapSpace;
import io.faultline.device.SwapDevice;
import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Swaps;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** {@code swapon(2)} and {@code swapoff(2)}. Thread-safe; one of them at a time. */
public final class SwapService implements Swaps {
  /** What is asked for again by name. */
  private record Known(SwapDevice device, int priority) {}

  private final SwapSpace swap;
  private final SwapHome home;
  /** Devices by name, those that are switched off included. Written with this held. */
  private final Map<String, Known> known = new ConcurrentSkipListMap<>();

  public SwapService(SwapSpace swap, SwapHome home) {
    this.swap = swap;
    this.home = home;
  }

  @Override
  public List<SwapInfo> list() {
    return swap.devices().list();
  }

  @Override
  public List<String> off() {
    return known.keySet().stream().filter(name -> swap.devices().find(name) == null).toList();
  }

  @Override
  public synchronized void swapon(SwapDevice device, int priority) throws ErrnoException {
    String name = swap.devices().activate(device, priority).name();
    known.put(name, new Known(device, priority));
  }

  @Override
  public synchronized void swapon(String name) throws ErrnoException {
    SwapArea area = swap.devices().find(name);
    if (area != null) {
      throw new ErrnoException(Errno.EBUSY, "name: " + name + " is in use already");
    }
    Known device = known.get(name);
    if (device == null) {
      throw unknown(name);
    }
    swap.devices().activate(device.device(), device.priority());
  }

  @Override
  public synchronized void swapoff(String name) throws ErrnoException {
    SwapArea area = swap.devices().find(name);
    if (area == null) {
      throw unknown(name);
    }
    try {
      home.bringHome(area);
    } catch (ErrnoException e) {
      // Linux inserts it again; else the next page would have nowhere to go.
      swap.devices().setWritable(area, true);
      throw e;
    }
    swap.devices().deactivate(area);
  }

  private ErrnoException unknown(String name) {
    return new ErrnoException(
        Errno.EINVAL,
        "name: no swap device is called " + name + "; known are " + known.keySet());
  }

  /**
   * A driver takes its device away. Its pages are moved home as far as they can; what is left is lost,
   * and accesses to it get SIGBUS.
   *
   * @return how many pages are lost
   */
  public synchronized long remove(SwapDevice device) {
    known.values().removeIf(one -> one.device() == device);
    SwapArea area = swap.devices().find(device);
    if (area == null) {
      return 0;
    }
    try {
      home.bringHome(area);
    } catch (ErrnoException e) {
      swap.devices().revoke(area);
      return swap.devices().used(area);
    }
    swap.devices().deactivate(area);
    return 0;
  }
}
