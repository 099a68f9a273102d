// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Where the server is and how long to wait for it. */
@ObjectClassDefinition(
    name = "swap-redis",
    description = "Swap space on a Redis server or cluster. A change moves the pages home, and begins"
        + " anew.")
public @interface SwapRedisConfig {
  /** The server, or some of a cluster's. */
  @AttributeDefinition(
      description = "redis://[[USER]:PASSWORD@]HOST:PORT[/DB], rediss:// for TLS. Several, with commas"
          + " between them, are nodes of one cluster")
  String[] uris() default "redis://127.0.0.1:6379";

  /** What its keys begin with. */
  @AttributeDefinition(
      description = "what all keys begin with; kernels may share it, each has keys of its own")
  String prefix() default "faultline";

  /** How many pages it takes. */
  @AttributeDefinition(description = "bytes that it takes, rounded down to pages", min = "4096")
  long size_bytes() default 1 << 30;

  /** How long to wait for a connection. */
  @AttributeDefinition(description = "milliseconds to wait for a connection", min = "1")
  int connect_timeout_ms() default 2000;

  /** How long to wait for an answer. */
  @AttributeDefinition(
      description = "milliseconds to wait for an answer, of each 512 pages", min = "1")
  int timeout_ms() default 2000;

  /** When it is used. */
  @AttributeDefinition(description = "higher is used first")
  int swap_priority() default -3;
}
