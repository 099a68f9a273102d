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

/**
 * The state of one device on its way from one version of a driver to the next. A page is written as
 * its frame's number.
 */
final class StateBuffer {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
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

  /**
   * @param pages of the old version
   * @param moves learns of the pages
   */
  StateWriter writer(DriverPages pages, PageMoves moves) {
    return new Writer(bytes, pages, moves);
  }

  StateReader reader(PageMoves moves) {
    return new Reader(new ByteArrayInputStream(bytes.toByteArray()), moves);
  }

  private static final class Writer extends DataOutputStream implements StateWriter {
    private final DriverPages pages;
    private final PageMoves moves;

    Writer(ByteArrayOutputStream bytes, DriverPages pages, PageMoves moves) {
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
      moves.written(page);
      writeLong(page.frameNumber());
    }
  }

  private static final class Reader extends DataInputStream implements StateReader {
    private final PageMoves moves;

    Reader(ByteArrayInputStream bytes, PageMoves moves) {
      super(bytes);
      this.moves = moves;
    }

    @Override
    public Page readPage() throws IOException {
      return moves.read(readLong());
    }

    @Override
    public int remaining() {
      return ((ByteArrayInputStream) in).available();
    }
  }
}
