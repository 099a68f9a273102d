// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * This machine's Linux kernel: whether it can be observed ({@link io.faultline.host.Host}), and the
 * command that records a program running on it. Everything here is about the kernel beneath the JVM;
 * the kernel that Faultline simulates is unknown here.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.host;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
