// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Driver bundles and the folder that they are dropped into: {@code insmod}, {@code rmmod} and {@code
 * driver}, which do what anyone can do with {@code cp} and {@code rm}, and wait until it has happened.
 *
 * <p>{@link DropIn} is the door. Behind it {@link Installation}, {@link Succession} and {@link Removal}
 * are one class an operation; they share where the jars lie ({@link DriverFolder}, {@link
 * AvailableDrivers}), which bundle is of which jar ({@link DriverBundles}), what it has brought ({@link
 * Offers}) and the waiting ({@link Await}).
 */
@NullMarked
package io.faultline.distribution.driver;

import org.jspecify.annotations.NullMarked;
