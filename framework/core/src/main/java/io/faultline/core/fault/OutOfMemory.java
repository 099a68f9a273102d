// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.core.mm.AddressSpace;
import io.faultline.mm.Siginfo;
import org.jspecify.annotations.Nullable;

/** What is done when a page fault finds no frame, and reclaim finds none either. */
@FunctionalInterface
public interface OutOfMemory {
  /**
   * Makes room, if need be by killing a process ({@code pagefault_out_of_memory}). No lock of a space
   * is held.
   *
   * @param space whose access wants a frame
   * @param address of the access, in bytes
   * @param attempts that this access has made so far, 1 or more: who still fails after many wants
   *     more at once than can be had
   * @return null when the access may be tried again; else why not
   */
  @Nullable Siginfo makeRoom(AddressSpace space, long address, int attempts);
}
