// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Real files of the host, below configured folders, mapped through the kernel's page cache. */
@NullMarked
package io.faultline.driver.hostfile;

import org.jspecify.annotations.NullMarked;
