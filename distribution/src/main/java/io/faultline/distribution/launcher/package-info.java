// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Starts Faultline: reads {@code conf/config.properties}, installs what lies in {@code bundle/N} on
 * start level N, waits until every bundle is active and hands the words of the command line to the
 * console bundle. Plain Java on the class path; nothing in here is a bundle.
 */
@NullMarked
package io.faultline.distribution.launcher;

import org.jspecify.annotations.NullMarked;
