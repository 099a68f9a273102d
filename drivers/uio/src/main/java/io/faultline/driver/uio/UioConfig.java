// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** How patient read is. */
@ObjectClassDefinition(name = "uio", description = "A device for drivers in user space.")
public @interface UioConfig {
  /** How long read waits for an interrupt, in milliseconds. */
  @AttributeDefinition(
      description = "how long read(2) waits for an interrupt before it is EAGAIN, in milliseconds; an"
          + " upgrade waits for readers, and everybody for the upgrade",
      min = "0", max = "1000")
  int wait_millis() default 0;
}
