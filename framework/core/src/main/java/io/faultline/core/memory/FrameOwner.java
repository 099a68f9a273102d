// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/**
 * What a page belongs to, {@code page->mapping}: an anon_vma or a file. From here all page-table
 * entries of a frame are found.
 */
public interface FrameOwner {
  /** Where its pages may be mapped. */
  Places places();
}
