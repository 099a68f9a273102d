// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Takes a core's bytes in order. For one thread. */
public interface CoreSink {
  /** Takes what remains in a buffer. */
  void write(ByteBuffer bytes) throws IOException;

  /** Takes zeros. */
  void hole(long bytes) throws IOException;

  /** There is no more: a hole at the end counts now. */
  void finish() throws IOException;
}
