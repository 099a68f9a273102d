// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** What holds of the bundles as they are shipped, in a running framework. */
@NullMarked
package io.faultline.itests;

import org.jspecify.annotations.NullMarked;
