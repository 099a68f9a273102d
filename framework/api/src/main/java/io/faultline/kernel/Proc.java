// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import org.osgi.annotation.versioning.ProviderType;

/**
 * The texts of {@code /proc/PID}, byte for byte as the kernel prints them. File names are one
 * character a byte (ISO 8859-1). Thread-safe.
 */
@ProviderType
public interface Proc {
  /** {@code /proc/PID/maps}, with the {@code [vsyscall]} line. */
  String maps(Task task);

  /**
   * One line an area: {@code START-END flag flag …}, the flags of smaps' {@code VmFlags}, with the
   * vsyscall page.
   */
  String vmFlags(Task task);
}
