// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.kernel.SpecialMapping;
import io.faultline.mm.VmFlags;
import org.jspecify.annotations.Nullable;

/**
 * One line of {@code maps.begin} with its line of {@code vmflags.begin}.
 *
 * @param start first byte
 * @param end first byte behind it
 * @param offset into the file, in bytes
 * @param file what is mapped; null for anonymous memory
 * @param special one of the kernel's own mappings, else null
 */
public record InitialMapping(
    long start,
    long end,
    VmFlags flags,
    long offset,
    Note.@Nullable FileName file,
    @Nullable SpecialMapping special) {}
