// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** The services that the kernel core publishes: processes, areas, faults, devices. */
@NullMarked
@Export
@Version("1.0.0")
package io.faultline.kernel;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
