// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * The vocabulary of memory management, in Linux's terms and Java's spelling: areas and their flags,
 * the operations of a driver, pages, faults, error numbers and signals. No behaviour lives here.
 *
 * <p>What a driver implements ({@link io.faultline.mm.VmOperations}) is a consumer type: methods with
 * defaults may be added in a minor version. What the kernel implements ({@link io.faultline.mm.Vma},
 * {@link io.faultline.mm.Page}, {@link io.faultline.mm.PageMapper}) is a provider type.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.mm;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
