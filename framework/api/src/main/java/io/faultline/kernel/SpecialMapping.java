// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/** Mappings that the kernel itself puts into every process. */
public enum SpecialMapping {
  VVAR("[vvar]"),
  VVAR_VCLOCK("[vvar_vclock]"),
  VDSO("[vdso]");

  private final String label;

  SpecialMapping(String label) {
    this.label = label;
  }

  /** The name in {@code /proc/PID/maps}. */
  public String label() {
    return label;
  }
}
