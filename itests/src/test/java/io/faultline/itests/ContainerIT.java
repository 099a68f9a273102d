// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.harness.InFelix;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;

/** The container itself. */
@InFelix
class ContainerIT {
  @Test
  void testsRunInsideTheFramework(BundleContext context) {
    assertThat(FrameworkUtil.getBundle(getClass())).isEqualTo(context.getBundle());
    assertThat(context.getBundle(0).getSymbolicName()).isEqualTo("org.apache.felix.framework");
  }

  @Test
  void everyBundleOfOursIsActive(BundleContext context) {
    List<Bundle> ours =
        Arrays.stream(context.getBundles())
            .filter(b -> b.getSymbolicName() != null)
            .filter(b -> b.getSymbolicName().startsWith("io.faultline."))
            .toList();
    assertThat(ours)
        .extracting(Bundle::getSymbolicName)
        .contains(
            "io.faultline.api",
            "io.faultline.core",
            "io.faultline.shell",
            "io.faultline.replay",
            "io.faultline.distribution");
    assertThat(ours)
        .allSatisfy(b -> assertThat(b.getState()).as(b.toString()).isEqualTo(Bundle.ACTIVE));
  }
}
