// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * What a device driver is written against: it registers an {@link io.faultline.device.MmapProvider}
 * as an OSGi service with the properties of {@link io.faultline.device.Device}, and gets pages from
 * {@link io.faultline.device.PageAllocator}.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.device;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
