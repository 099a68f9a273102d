// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * {@code faultline driver}: a driver's bundle from its source files, with neither a build tool nor a
 * pom. The JDK's own compiler makes the class files, bnd makes the bundle of them.
 *
 * <p>No bundle itself: a jar of its own in {@code lib/driver}, which the script runs as a program and
 * {@code insmod FILE.java} loads for as long as it takes. So neither bnd nor the compiler costs
 * anything while the system starts.
 *
 * <p>{@code faultline new}, beside it, makes the Maven project of a driver from the archetype.
 */
@NullMarked
package io.faultline.driverc;

import org.jspecify.annotations.NullMarked;
