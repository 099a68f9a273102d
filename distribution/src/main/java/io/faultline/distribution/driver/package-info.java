// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Driver bundles and the folder that they are dropped into: {@code insmod} and {@code rmmod}, which
 * do what anyone can do with {@code cp} and {@code rm}, and wait until it has happened.
 */
@NullMarked
package io.faultline.distribution.driver;

import org.jspecify.annotations.NullMarked;
