// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
/**
 * The texts of {@code /proc/PID}, byte for byte as the kernel prints them. May import every room but
 * process and component; takes the address space's lock for reading.
 */
@NullMarked
package io.faultline.core.proc;

import org.jspecify.annotations.NullMarked;
