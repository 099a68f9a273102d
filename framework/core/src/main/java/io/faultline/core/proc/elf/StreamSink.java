// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import io.faultline.mm.Mman;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** A channel that knows no holes: they are written as zeros. */
public final class StreamSink implements CoreSink {
  private static final int ZEROS = 16 * (int) Mman.PAGE_SIZE;

  private final WritableByteChannel channel;
  private final ByteBuffer zeros = ByteBuffer.allocate(ZEROS);

  public StreamSink(WritableByteChannel channel) {
    this.channel = channel;
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  @Override
  public void hole(long bytes) throws IOException {
    for (long left = bytes; left > 0; left -= ZEROS) {
      write(zeros.clear().limit((int) Math.min(left, ZEROS)));
    }
  }

  @Override
  public void finish() {
    // All is written.
  }
}
