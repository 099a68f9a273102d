// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * System calls of this machine's Linux kernel through the foreign-function interface, by number: no C
 * compiler, no native library of our own. x86-64 only.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.host.linux;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
