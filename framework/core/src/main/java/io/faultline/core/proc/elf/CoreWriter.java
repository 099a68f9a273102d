// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import io.faultline.core.area.Area;
import io.faultline.core.device.AbandonedCallError;
import io.faultline.core.mm.AddressSpace;
import io.faultline.kernel.CoreProgress;
import io.faultline.kernel.CoreReport;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Writes one core ({@code elf_core_dump}). Used once, by one thread. */
public final class CoreWriter {
  private static final int EHDR_SIZE = 64;
  private static final int PHDR_SIZE = 56;
  private static final int SHDR_SIZE = 64;
  private static final int PT_LOAD = 1;
  private static final int PT_NOTE = 4;
  private static final int ET_CORE = 4;
  private static final int EM_X86_64 = 62;
  /** More headers than this are counted in a section header instead. */
  private static final int PN_XNUM = 0xffff;

  /** Pages that are copied with the space's lock held once. */
  private static final int STRETCH = 64;
  private static final int PAGE = (int) Mman.PAGE_SIZE;
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[PAGE]).asReadOnly();

  private final CoreProcess process;
  private final CoreSink sink;
  private final CoreProgress progress;
  private final ByteBuffer buffer =
      ByteBuffer.allocate(STRETCH * PAGE).order(ByteOrder.LITTLE_ENDIAN);
  private final MemorySegment pages = MemorySegment.ofArray(buffer.array());
  private final boolean[] present = new boolean[STRETCH];

  private long done;
  private long written;
  private long total;

  public CoreWriter(CoreProcess process, CoreSink sink, CoreProgress progress) {
    this.process = process;
    this.sink = sink;
    this.progress = progress;
  }

  /**
   * Writes it all and finishes the sink.
   *
   * @throws ErrnoException ESRCH when the process is gone or ends meanwhile
   */
  public CoreReport write() throws IOException, ErrnoException {
    List<AreaSnapshot> areas = AreaSnapshot.of(process.space(), process.filter());
    byte[] notes = CoreNotes.of(process, areas);
    int headers = areas.size() + 1;
    long notesAt = EHDR_SIZE + (long) headers * PHDR_SIZE;
    long contentsAt = notesAt + notes.length + PAGE - 1 & -Mman.PAGE_SIZE;
    long contents = 0;
    for (AreaSnapshot area : areas) {
      contents += area.dumped();
    }
    boolean extended = headers >= PN_XNUM;
    total = contentsAt + contents + (extended ? SHDR_SIZE : 0);

    header(headers, extended ? contentsAt + contents : 0);
    segment(PT_NOTE, 0, notesAt, 0, notes.length, 0, Integer.BYTES);
    long offset = contentsAt;
    for (AreaSnapshot area : areas) {
      segment(
          PT_LOAD, area.segmentFlags(), offset, area.start(), area.dumped(), area.inMemory(),
          Mman.PAGE_SIZE);
      offset += area.dumped();
    }
    flush();
    write(ByteBuffer.wrap(notes));
    hole(contentsAt - notesAt - notes.length);
    progress.dumped(done, total);
    for (AreaSnapshot area : areas) {
      contents(area);
    }
    if (extended) {
      sectionHeader(headers);
      flush();
    }
    sink.finish();
    return new CoreReport(areas.size(), done, written);
  }

  private void header(int headers, long sectionHeaderAt) {
    boolean extended = sectionHeaderAt != 0;
    // 64 bits, little-endian, version 1, System V.
    buffer.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0}).putLong(0);
    buffer.putShort((short) ET_CORE).putShort((short) EM_X86_64).putInt(1);
    buffer.putLong(0).putLong(EHDR_SIZE).putLong(sectionHeaderAt);
    buffer.putInt(0).putShort((short) EHDR_SIZE).putShort((short) PHDR_SIZE);
    buffer.putShort((short) (extended ? PN_XNUM : headers));
    buffer.putShort((short) (extended ? SHDR_SIZE : 0)).putShort((short) (extended ? 1 : 0));
    buffer.putShort((short) 0);
  }

  private void segment(
      int type, int flags, long offset, long address, long inFile, long inMemory, long alignment)
      throws IOException {
    if (buffer.remaining() < PHDR_SIZE) {
      flush();
    }
    buffer.putInt(type).putInt(flags).putLong(offset).putLong(address).putLong(0);
    buffer.putLong(inFile).putLong(inMemory).putLong(alignment);
  }

  /** Holds no section, only the true number of program headers. */
  private void sectionHeader(int headers) {
    buffer.putInt(0).putInt(0).putLong(0).putLong(0).putLong(0);
    buffer.putLong(1).putInt(0).putInt(headers).putLong(0).putLong(0);
  }

  private void contents(AreaSnapshot area) throws IOException, ErrnoException {
    long end = area.start() + area.dumped();
    for (long from = area.start(); from != end;) {
      int count = (int) Math.min(STRETCH, (end - from) >>> Mman.PAGE_SHIFT);
      copy(from, count);
      writeStretch(count);
      from += (long) count << Mman.PAGE_SHIFT;
      progress.dumped(done, total);
    }
  }

  /** Copies pages into the buffer; what is a hole is told by {@link #present}. */
  private void copy(long from, int count) throws ErrnoException {
    AddressSpace space = process.space();
    space.lockForReading();
    try {
      for (int i = 0; i < count; i++) {
        long page = from + (long) i * PAGE;
        // The areas may be others by now; the vsyscall page never was one.
        Area area = space.areas().findAt(page);
        MemorySegment target = pages.asSlice((long) i * PAGE, PAGE);
        present[i] =
            area != null && DumpPages.copy(space, area, page, target) && !isZeros(target);
      }
    } catch (AbandonedCallError tooLate) {
      throw new ErrnoException(Errno.ETIMEDOUT, String.valueOf(tooLate.getMessage()));
    } finally {
      space.unlockForReading();
    }
  }

  private static boolean isZeros(MemorySegment page) {
    return page.mismatch(ZEROS) < 0;
  }

  /** Writes pages that follow each other at once. */
  private void writeStretch(int count) throws IOException {
    int i = 0;
    while (i < count) {
      int first = i;
      boolean page = present[i];
      while (i < count && present[i] == page) {
        i++;
      }
      if (page) {
        write(buffer.clear().position(first * PAGE).limit(i * PAGE));
      } else {
        hole((long) (i - first) * PAGE);
      }
    }
    buffer.clear();
  }

  private void flush() throws IOException {
    write(buffer.flip());
    buffer.clear();
  }

  private void write(ByteBuffer bytes) throws IOException {
    int length = bytes.remaining();
    sink.write(bytes);
    done += length;
    written += length;
  }

  private void hole(long bytes) throws IOException {
    sink.hole(bytes);
    done += bytes;
  }
}
