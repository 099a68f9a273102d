// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.core.memory.FileMapping;
import io.faultline.device.OpenFile;
import org.jspecify.annotations.Nullable;

/** An open file as areas hold it: counted. */
public interface MappedFile extends OpenFile {
  /** The file's pages and where it is mapped; null for a device, whose pages are its driver's. */
  @Nullable FileMapping mapping();

  /**
   * Where areas of the file are linked: as {@link #mapping}, or, for a device whose operations have {@code
   * pageMkwrite}, what knows its areas and holds no pages. Null for other devices: nobody looks for their
   * entries.
   */
  @Nullable FileMapping places();

  /** Takes a reference ({@code get_file}). */
  void get();

  /** Drops a reference ({@code fput}); the last one releases the file. */
  void put();
}
