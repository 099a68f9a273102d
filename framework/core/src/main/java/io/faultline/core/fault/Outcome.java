// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

/** How a fault ended inside the handler ({@code vm_fault_t}). */
enum Outcome {
  MINOR,
  MAJOR,
  /** A page was copied, or made writable again, at a write to private memory. */
  COPY,
  /** A guard marker: SIGSEGV, MAPERR. */
  GUARD,
  SIGBUS,
  /** No driver was asked, since it supplies no pages by faults: SIGBUS, and nobody is waited for. */
  NO_NOPAGE,
  /** The page is in swap, and its device could not bring it. */
  SWAP_FAILED,
  OOM,
  /** The page was taken away meanwhile: to be tried again. */
  RETRY,
  /** The driver let the page be written, and it was write-protected meanwhile: to be asked again. */
  PROTECTED,
  /** A page of registers is to be copied: to be tried again with what they read as. */
  REGISTERS;

  boolean failed() {
    return this == GUARD || this == SIGBUS || this == NO_NOPAGE || this == SWAP_FAILED
        || this == OOM
        || this == PROTECTED
        || this == REGISTERS;
  }
}
