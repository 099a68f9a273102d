// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.DriverPages;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.Page;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * The state of one device on its way from one version of a driver to the next. A page is written as
 * its frame's number.
 */
final class StateBuffer {
  /** So long is a state at most; what is longer belongs into pages. */
  private static final int MAX_BYTES = 64 << 20;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  // Written with this object's monitor held, as the bytes are.
  private volatile boolean sealed;
  private final int version;

  /**
   * @param version of the format
   */
  StateBuffer(int version) {
    this.version = version;
  }

  int version() {
    return version;
  }

  int size() {
    return bytes.size();
  }

  /** The driver has written all: a writer that it kept, or a call that was given up, writes no more. */
  synchronized void seal() {
    sealed = true;
  }

  private void check(int more) throws IOException {
    if (sealed) {
      throw new IOException("state: saveState has returned; write within it");
    }
    if (more > MAX_BYTES - bytes.size()) {
      throw new IOException(
          "state: longer than " + MAX_BYTES + " bytes; keep what is large in pages, and give them"
              + " with writePage");
    }
  }

  /** To the bytes, as long as they may be written. */
  private final class Bounded extends OutputStream {
    @Override
    public void write(int one) throws IOException {
      synchronized (StateBuffer.this) {
        check(1);
        bytes.write(one);
      }
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      synchronized (StateBuffer.this) {
        check(length);
        bytes.write(source, offset, length);
      }
    }
  }

  /**
   * @param pages of the old version
   * @param moves learns of the pages
   */
  StateWriter writer(DriverPages pages, PageMoves moves) {
    return new Writer(new Bounded(), pages, moves);
  }

  /**
   * @param moves where its pages come from
   */
  Reader reader(PageMoves moves) {
    return new Reader(new ByteArrayInputStream(bytes.toByteArray()), moves);
  }

  private final class Writer extends DataOutputStream implements StateWriter {
    private final DriverPages pages;
    private final PageMoves moves;

    Writer(Bounded bytes, DriverPages pages, PageMoves moves) {
      super(bytes);
      this.pages = pages;
      this.moves = moves;
    }

    @Override
    public void writePage(Page page) throws IOException {
      if (!pages.holds(page)) {
        throw new IOException(
            "page: " + page
                + " is not one that this driver's PageAllocator gave and that it holds");
      }
      synchronized (StateBuffer.this) {
        check(Long.BYTES);
        moves.written(page);
        writeLong(page.frameNumber());
      }
    }
  }

  /** Good for one call of {@code restoreState}. */
  static final class Reader extends DataInputStream implements StateReader {
    private final PageMoves moves;
    // Guarded by this object's monitor.
    private boolean expired;

    private Reader(ByteArrayInputStream bytes, PageMoves moves) {
      super(bytes);
      this.moves = moves;
    }

    /** The call has ended, or was given up: no page is given away any more. */
    synchronized void expire() {
      expired = true;
    }

    @Override
    public synchronized Page readPage() throws IOException {
      if (expired) {
        throw new IOException("state: restoreState has returned; read within it");
      }
      return moves.read(readLong());
    }

    @Override
    public int remaining() {
      return ((ByteArrayInputStream) in).available();
    }
  }
}
