// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * {@code /dev/fb0}: a frame buffer whose writers are heard of by {@code pageMkwrite} (deferred I/O), and the
 * shell command that shows it.
 */
@NullMarked
package io.faultline.driver.framebuffer;

import org.jspecify.annotations.NullMarked;
