// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Differential testing against the kernel beneath. A {@link io.faultline.difftest.Generator} makes a
 * random history step by step; a {@link io.faultline.difftest.HostSide} has a bare child process on this
 * machine's kernel carry each step out, an {@link io.faultline.difftest.EngineSide} a process of the
 * engine; {@link io.faultline.difftest.Comparison} compares result and maps after each step. A
 * divergence is shrunk on fresh processes and written as a recording, to be kept as a test.
 */
@NullMarked
package io.faultline.difftest;

import org.jspecify.annotations.NullMarked;
