// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host;

/**
 * Whether this machine can run programs under observation.
 *
 * @param supported whether it can
 * @param kernel the kernel's release, such as {@code 6.18.44}; empty when unknown
 * @param reason one line saying why not and what to do; empty when supported
 */
public record HostSupport(boolean supported, String kernel, String reason) {
  static HostSupport yes(String kernel) {
    return new HostSupport(true, kernel, "");
  }

  static HostSupport no(String reason) {
    return new HostSupport(false, "", reason);
  }

  /**
   * Whether the kernel is of a series, such as {@code isSeries("6.18")}.
   *
   * @param series major and minor number
   */
  public boolean isSeries(String series) {
    return kernel.equals(series) || kernel.startsWith(series + ".")
        || kernel.startsWith(series + "-");
  }
}
