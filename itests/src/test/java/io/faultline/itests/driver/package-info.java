// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Small drivers that tests install, and how to make bundles of them. */
@NullMarked
package io.faultline.itests.driver;

import org.jspecify.annotations.NullMarked;
