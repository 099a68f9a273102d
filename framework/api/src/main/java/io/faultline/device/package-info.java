// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** What a driver offers: mmap on an open file, device numbers, the device property type. */
@NullMarked
@Export
@Version("1.0.0")
package io.faultline.device;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
