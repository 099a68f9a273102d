// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static org.assertj.core.api.Assumptions.assumeThat;

import io.faultline.host.Host;
import io.faultline.host.HostSupport;

/** The kernel that a test runs on. */
final class OwnKernel {
  private static final String SERIES = "6.18";

  private OwnKernel() {}

  /**
   * Skips a test with one line where the kernel is not the one that the engine is.
   *
   * @param test what the line begins with
   */
  static void assumeItIsTheEngines(String test) {
    HostSupport host = Host.supported();
    String skipped = "";
    if (!host.supported()) {
      skipped = host.reason();
    } else if (!host.isSeries(SERIES)) {
      skipped = "this is Linux " + host.kernel() + ", the engine is " + SERIES;
    }
    if (!skipped.isEmpty()) {
      System.out.println(test + ": skipped: " + skipped);
    }
    assumeThat(skipped).isEmpty();
  }
}
