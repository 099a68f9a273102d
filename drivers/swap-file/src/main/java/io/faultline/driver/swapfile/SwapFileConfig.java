// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapfile;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Where the file is and how much it holds. */
@ObjectClassDefinition(
    name = "swap-file",
    description = "Swap space in a file. A change moves the pages home, and begins anew with another"
        + " file.")
public @interface SwapFileConfig {
  /** The file. */
  @AttributeDefinition(
      description = "the file; absent it is made, and goes when it is switched off. Empty: faultline-PID"
          + ".swap in the folder for temporary files")
  String path() default "";

  /** How much it holds. */
  @AttributeDefinition(description = "bytes that it holds, rounded down to pages", min = "4096")
  long size_bytes() default 256 << 20;

  /** When it is used. */
  @AttributeDefinition(description = "higher is used first")
  int swap_priority() default -2;
}
