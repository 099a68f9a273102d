// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import org.jspecify.annotations.Nullable;

/**
 * {@code prlimit64} of the process itself: an input, never scored.
 *
 * @param resource the limit's name, {@code RLIMIT_STACK}
 * @param soft the new soft limit, {@link io.faultline.kernel.Limits#UNLIMITED} for none; null when
 *     the call changed nothing
 * @param hard the new hard limit, likewise; it counts only where soft is not null
 */
public record SetLimit(int line, String resource, @Nullable Long soft, long hard)
    implements Event {}
