// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.Page;
import java.io.DataInput;
import java.io.IOException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Where a driver reads the state of one device that the old version wrote with {@link StateWriter}.
 * Good only during {@link HandOver#restoreState}.
 */
@ProviderType
public interface StateReader extends DataInput {
  /**
   * Reads a page: the same frame, with one reference that is this driver's, to be dropped with {@link
   * Page#put} like that of a page which its {@link PageAllocator} gave. A frame that was written
   * several times is the same page each time, with one reference.
   *
   * @throws IOException at the end of the stream, or when no page was written here
   */
  Page readPage() throws IOException;

  /** How many bytes are left. */
  int remaining();
}
