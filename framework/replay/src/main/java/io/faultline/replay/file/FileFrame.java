// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import org.jspecify.annotations.Nullable;

/** The one frame that stands for every page of a recorded file. Thread-safe. */
final class FileFrame implements AutoCloseable {
  private final PageAllocator allocator;
  private @Nullable Page page; // guarded by this
  private @Nullable Nopage answer; // guarded by this

  FileFrame(PageAllocator allocator) {
    this.allocator = allocator;
  }

  /** The frame; allocated when it is first asked for. */
  synchronized Page page() throws ErrnoException {
    Page held = page;
    if (held == null) {
      held = allocator.allocate();
      page = held;
    }
    return held;
  }

  /** The frame as a {@code nopage} answers with it, with a reference for the kernel. */
  synchronized Nopage answer() {
    Page held;
    try {
      held = page();
    } catch (ErrnoException e) {
      return Nopage.OOM;
    }
    Nopage minor = answer;
    if (minor == null) {
      minor = Nopage.minor(held);
      answer = minor;
    }
    held.get();
    return minor;
  }

  /** Drops our own reference; mappings keep theirs. */
  @Override
  public synchronized void close() {
    Page held = page;
    page = null;
    answer = null;
    if (held != null) {
      held.put();
    }
  }
}
