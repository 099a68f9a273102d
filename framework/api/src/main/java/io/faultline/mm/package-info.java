// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Memory areas, their flags and operations, pages, protections, faults and error numbers. */
@NullMarked
@Export
@Version("1.0.0")
package io.faultline.mm;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
