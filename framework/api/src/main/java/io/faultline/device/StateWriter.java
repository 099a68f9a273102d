// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.Page;
import java.io.DataOutput;
import java.io.IOException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Where a driver writes the state of one device for its next version: a stream of plain bytes, with
 * pages in between. Good only during {@link HandOver#saveState}.
 */
@ProviderType
public interface StateWriter extends DataOutput {
  /**
   * Writes a page of the driver's own, as eight bytes. When the upgrade is done the page is the new
   * version's, contents, mappings and all; {@link Page#put} on this version's handle does nothing from
   * then on, so that a driver may free its pages when it is deactivated as it always did. A page that
   * is not written stays with the old version and is freed with it.
   *
   * @throws IOException when the page is not one that the driver's {@link PageAllocator} gave and that
   *     it still holds
   */
  void writePage(Page page) throws IOException;
}
