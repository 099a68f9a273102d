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

  /** Takes a reference ({@code get_file}). */
  void get();

  /** Drops a reference ({@code fput}); the last one releases the file. */
  void put();
}
