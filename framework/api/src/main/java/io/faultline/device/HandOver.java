// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A driver that can take the place of another version of itself while its devices are open and mapped,
 * and can be followed by one. Implemented by the class of a {@link MmapProvider}.
 *
 * <p>An upgrade asks in this order, and any refusal leaves the old version in its place, as if nothing
 * had been asked:
 *
 * <pre>
 *   new: selfTest                     while the old version serves
 *   ---- accesses and calls wait from here on; no call is under way
 *   old: saveState(device)            for each device
 *   new: restoreState(device, …)      for each device
 *   new: adopt(file)                  for each open file
 *   new: adopt(area)                  for each area
 *   ---- accesses and calls go to the new version
 * </pre>
 *
 * Areas, page tables and pages belong to the kernel and stay as they are: an entry that was there is
 * there. The old version is called no more, neither {@link io.faultline.mm.VmOperations#close} nor
 * {@link MmapProvider#release}, since nothing was closed; then its bundle is stopped. The new version
 * closes and releases what it adopted.
 *
 * <p>When a driver goes without a successor, its bundle stopped or updated, it is asked in the same way
 * before its areas are closed, while its code is there; the kernel keeps the state and holds the pages.
 * When a driver of the same bundle and device name comes, whatever its version, it gets them:
 *
 * <pre>
 *   old: saveState(device)            for each device; its areas are closed after that
 *   ---- accesses wait for a while
 *   new: restoreState(device, …)      for each device of which something is kept
 *   new: adopt(file), adopt(area)     for each that is left
 *   ---- accesses and calls go to the new version
 * </pre>
 *
 * One by one: a file or an area that it refuses stays without a driver. A state that it refuses stays
 * kept, and the driver serves with what it has: so a {@link #restoreState} that throws must leave the
 * driver usable. Another bundle's driver gets files and areas, but neither state nor private data. What
 * is kept is bounded, the oldest goes first; uninstalling the bundle frees it, and so does {@link
 * io.faultline.kernel.Drivers#forget}.
 *
 * <p>A driver without this interface can be replaced while its devices have neither areas nor open
 * files with private data.
 *
 * <p><b>Threads and locks.</b> All but {@link #selfTest} are called with the locks of all address
 * spaces held that have to do with the devices: calling back into any of them fails with EDEADLK. Each
 * call is bounded by the device's time limit. Be quick: who has the device open or mapped waits.
 */
@ConsumerType
public interface HandOver {
  /**
   * Says whether this version can work, before anything is asked of it. Nothing waits meanwhile.
   *
   * @throws Exception why not; the upgrade is off
   */
  default void selfTest() throws Exception {}

  /** The version of the format that {@link #saveState} writes, 1 or more. */
  default int stateVersion() {
    return 1;
  }

  /**
   * Writes what the next version must know of a device. The driver's own state must stay as it is: the
   * upgrade may yet fail.
   *
   * @param index which of the driver's devices, as {@link OpenFile#index}
   * @param out good during the call; for 64 MiB at most, pages apart
   * @throws IOException when it cannot; the upgrade is off
   */
  default void saveState(int index, StateWriter out) throws IOException {}

  /**
   * Reads what the old version wrote. Not called when the old version does not implement {@link
   * HandOver}.
   *
   * @param index which of the driver's devices
   * @param version the old version's {@link #stateVersion}
   * @throws IOException when it cannot be read
   * @throws ErrnoException to refuse: {@link Errno#EINVAL} for a version it does not know
   */
  default void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    if (version != stateVersion()) {
      throw new ErrnoException(
          Errno.EINVAL, "state: format " + version + ", expected " + stateVersion());
    }
  }

  /**
   * Takes over an open file. Its private data is null, or what the old version stored if that is a
   * String, a boxed number or an array of a primitive type; other objects are of the old version's
   * classes. That holds after a gap too, in which the old version has released the file: what the
   * value says is then of the time before, as the state that was saved is.
   *
   * @throws ErrnoException to refuse
   */
  default void adopt(OpenFile file) throws ErrnoException {}

  /**
   * Takes over an area: attaches operations, sets private data, counts it as {@link MmapProvider#mmap}
   * does. The private data is as for {@link #adopt(OpenFile)}.
   *
   * <p>Also asked of the very driver when it is brought back from quarantine, for areas that it had
   * mapped up front: {@link Adoption#pagesLost} is true, and {@link
   * io.faultline.mm.VmOperations#close} follows for what it had there before.
   *
   * @throws ErrnoException to refuse
   */
  default void adopt(Adoption area) throws ErrnoException {
    throw new ErrnoException(
        Errno.EOPNOTSUPP, "adopt: this version takes over no area; override adopt(Adoption)");
  }
}
