// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Swap space on a Redis server or cluster, for kernels that outgrow their machine's disk. */
@NullMarked
package io.faultline.driver.swapredis;

import org.jspecify.annotations.NullMarked;
