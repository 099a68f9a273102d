// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The book's module parameters, {@code scullp_order} and {@code scullp_qset}. */
@ObjectClassDefinition(
    name = "scullp",
    description = "Memory devices made of pages. A device takes a change when it is trimmed next: "
        + "when it is opened write-only while no process maps it.")
public @interface ScullpConfig {
  /** log2 of the number of pages in a quantum. */
  @AttributeDefinition(
      description = "log2 of the number of pages in a quantum; a device can be mapped only when it"
          + " is 0",
      min = "0", max = "10")
  int order() default 0;

  /** How many quanta a set has. */
  @AttributeDefinition(description = "how many quanta a set has", min = "1", max = "65536")
  int qset() default 500;
}
