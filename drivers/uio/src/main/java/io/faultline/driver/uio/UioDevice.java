// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import io.faultline.device.DeviceMemory;
import io.faultline.device.IoMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * The device that a driver in user space drives: {@code struct uio_info}. All its memory is the
 * kernel's, so that it outlives this driver. Immutable but for {@link #interrupts}.
 */
@Component(service = UioDevice.class)
public final class UioDevice {
  /** {@code MAX_UIO_MAPS}. */
  static final int MAX_MAPS = 5;

  private final List<UioMap> maps;
  private final Interrupts interrupts;

  /**
   * A device with memory that is ordinary pages, frames in a row, a mailbox that does not begin with its
   * page, and registers.
   *
   * @throws ErrnoException ENOMEM
   */
  @Activate
  public UioDevice(@Reference DeviceMemory memory, @Reference IoMemory io) throws ErrnoException {
    interrupts = new Interrupts(state(memory));
    maps = List.of(
        UioMap.logical("buffers", memory.region("buffers", 4), 0),
        UioMap.physical("frames", memory.run("frames", 3)),
        UioMap.logical("mailbox", memory.region("mailbox", 1), 0x200),
        UioMap.physical(io.region("registers", 1, new Registers(interrupts))));
  }

  UioDevice(DeviceMemory memory, List<UioMap> maps) throws ErrnoException {
    interrupts = new Interrupts(state(memory));
    this.maps = List.copyOf(maps);
  }

  private static Page state(DeviceMemory memory) throws ErrnoException {
    return memory.region("state", 1).getFirst();
  }

  List<UioMap> maps() {
    return maps;
  }

  Interrupts interrupts() {
    return interrupts;
  }

  /** {@code uio_find_mem_index}: which map an area's page offset selects, or -1. */
  int index(long pageOffset) {
    if (pageOffset < 0 || pageOffset >= Math.min(MAX_MAPS, maps.size())) {
      return -1;
    }
    return maps.get((int) pageOffset).size() == 0 ? -1 : (int) pageOffset;
  }
}
