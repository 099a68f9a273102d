// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A live area that a driver is asked to take over. Good only until {@link HandOver#adopt(Adoption)}
 * returns, and only on the thread that called it.
 */
@ProviderType
public interface Adoption {
  /** The area as it is: range, page offset, flags and file do not change. */
  Vma vma();

  /**
   * Which of the driver's devices, as {@link OpenFile#index}: the one that {@link Vma#file} is open
   * on.
   */
  int index();

  /**
   * Attaches the driver's operations; must be called, and takes effect when nobody refuses. Operations
   * without methods are allowed.
   */
  void setOperations(VmOperations operations);
}
