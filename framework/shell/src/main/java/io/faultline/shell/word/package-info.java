// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * What people type and what the system calls take: addresses, sizes, ranges, protections and the
 * names of {@code <sys/mman.h>}. Knows neither the kernel nor the console.
 */
@NullMarked
package io.faultline.shell.word;

import org.jspecify.annotations.NullMarked;
