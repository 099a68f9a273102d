// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.SwapDevice;
import io.faultline.mm.ErrnoException;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The swap devices in use. Thread-safe. */
@ProviderType
public interface Swaps {
  /** The priority of a device that asks for none. */
  int DEFAULT_PRIORITY = -2;

  /** A snapshot, in the order in which they are used. */
  List<SwapInfo> list();

  /** The names of the devices that are known and switched off: those that {@link #swapon(String)} takes. */
  List<String> off();

  /**
   * {@code swapon(2)}: from now on pages go there too.
   *
   * @throws ErrnoException EBUSY when a device of that name is in use, EINVAL when it has no slots,
   *     EIO when it cannot be activated
   */
  void swapon(SwapDevice device, int priority) throws ErrnoException;

  /**
   * {@code swapoff(2)}: moves all its pages back to memory, or to other devices, and lets go of it.
   * Takes as long as that takes.
   *
   * @param name of the device
   * @throws ErrnoException EINVAL when there is none of that name, ENOMEM when its pages do not fit
   *     elsewhere, EIO when some cannot be read, EINTR when the thread was interrupted; in each case
   *     but the first it stays in use as before, though pages may have moved
   */
  void swapoff(String name) throws ErrnoException;

  /**
   * Lets a device that is known, but was switched off, be used again.
   *
   * @param name of the device
   * @throws ErrnoException EINVAL when none of that name is known, EBUSY when it is in use, EIO when
   *     it cannot be activated
   */
  void swapon(String name) throws ErrnoException;
}
