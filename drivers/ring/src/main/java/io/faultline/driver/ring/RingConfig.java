// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** How large the rings are. */
@ObjectClassDefinition(
    name = "ring",
    description = "Ring buffers that are mapped twice in a row. A ring takes a change when it is opened"
        + " next while nobody has it open; what it held is gone then.")
public @interface RingConfig {
  /** log2 of the number of data pages. */
  @AttributeDefinition(
      description = "log2 of the number of data pages of each ring", min = "0", max = "10")
  int order() default 4;
}
