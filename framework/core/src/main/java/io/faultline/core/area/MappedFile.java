// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.device.OpenFile;

/** An open file as areas hold it: counted. */
public interface MappedFile extends OpenFile {
  /** Takes a reference ({@code get_file}). */
  void get();

  /** Drops a reference ({@code fput}); the last one releases the file. */
  void put();
}
