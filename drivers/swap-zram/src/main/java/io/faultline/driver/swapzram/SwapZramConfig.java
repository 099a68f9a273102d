// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapzram;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** What {@code /sys/block/zram0} has in its files. */
@ObjectClassDefinition(
    name = "swap-zram",
    description = "Swap space compressed in memory. A change moves the pages home, and begins anew.")
public @interface SwapZramConfig {
  /** The device's name. */
  @AttributeDefinition(description = "the name in /proc/swaps")
  String name() default "/dev/zram0";

  /** How many pages it takes, before they are compressed. */
  @AttributeDefinition(
      description = "bytes that it takes, before they are compressed, rounded down to pages; zram's"
          + " disksize",
      min = "4096")
  long size_bytes() default 256 << 20;

  /** How much memory it may have. */
  @AttributeDefinition(
      description = "bytes of memory that it may use, in steps of 64 KiB; a write beyond fails, and its"
          + " pages stay where they are. 0: no limit. zram's mem_limit",
      min = "0")
  long memory_limit_bytes() default 0;

  /** When it is used. */
  @AttributeDefinition(description = "higher is used first")
  int swap_priority() default 100;
}
