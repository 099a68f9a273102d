// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

/**
 * What becomes of a device's areas while its driver is not there: what answers an access to a page
 * once the driver was removed, or is quarantined. In all cases the areas stay, the device's pages were
 * taken out of the page tables (copies that a private mapping has written are the process's own and
 * stay), and {@link io.faultline.mm.VmOperations#close} was called while the driver's code was still
 * there. When a driver of the same device name comes back, areas and open files are offered to it
 * ({@link HandOver#adopt}).
 */
public enum UnplugPolicy {
  /** Every access gets SIGBUS, BUS_ADRERR. */
  SIGBUS,
  /**
   * Accesses wait until the driver comes back, however long; killing the process or interrupting the
   * thread ends the wait. No lock is held meanwhile: the area can be unmapped.
   */
  WAIT,
  /**
   * Pages of zeros from now on, each made when it is touched, and seen by the one address space only.
   * They are dropped when the driver comes back.
   */
  ZERO
}
