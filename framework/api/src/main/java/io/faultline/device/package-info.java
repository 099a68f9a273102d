// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * What a driver is written against. A driver of a device registers an {@link
 * io.faultline.device.MmapProvider} as an OSGi service with the properties of {@link
 * io.faultline.device.Device}. It gets pages from {@link io.faultline.device.PageAllocator}, memory that
 * outlives it from {@link io.faultline.device.DeviceMemory}, and registers from {@link
 * io.faultline.device.IoMemory}. If it is to be replaced while it is mapped, it is a {@link
 * io.faultline.device.HandOver} too.
 *
 * <p>There are two other kinds: a {@link io.faultline.device.FileSystem}, whose files the kernel keeps in
 * its page cache, and a {@link io.faultline.device.SwapDevice}.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.device;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
