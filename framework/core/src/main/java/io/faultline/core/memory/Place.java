// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import io.faultline.mm.Mman;

/**
 * Where pages of an owner may be mapped: in a process, at a fixed displacement from their index.
 *
 * <pre>
 *   index in pages of the owner     0 . . . . i . . .
 *   address in the process              d + i * 4096
 * </pre>
 *
 * Splitting and merging areas changes neither process nor displacement, so that a frame is found
 * however its area was cut up since ({@code vma_address} of Linux, which looks through a tree of
 * areas instead).
 *
 * @param pid the process
 * @param displacement in bytes; wraps round
 */
public record Place(int pid, long displacement) {
  /** The address of a page, in bytes. */
  public long address(long index) {
    return (index << Mman.PAGE_SHIFT) + displacement;
  }
}
