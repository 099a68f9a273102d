// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.device.OpenFileObject;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of {@code mmap(2)} with the descriptor resolved.
 *
 * @param address hint or order, bytes
 * @param length bytes, not rounded
 * @param prot {@code PROT_…}
 * @param flags {@code MAP_…}
 * @param file what is mapped; null for MAP_ANONYMOUS
 * @param pageOffset in pages
 * @param extraFlags {@code vm_flags} that the kernel itself adds
 */
public record MmapCall(
    long address,
    long length,
    int prot,
    int flags,
    @Nullable OpenFileObject file,
    long pageOffset,
    long extraFlags) {}
