// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Gogo commands over the API: processes, areas, memory, devices, faults. */
@NullMarked
package io.faultline.shell;

import org.jspecify.annotations.NullMarked;
