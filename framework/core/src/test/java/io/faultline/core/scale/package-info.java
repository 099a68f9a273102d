// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** What the engine needs of the host when there is much of everything. */
@NullMarked
package io.faultline.core.scale;

import org.jspecify.annotations.NullMarked;
