// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A core file read back, the simulated kernel's or a real one's: program headers, notes, memory. It
 * knows nothing of how cores are written. Immutable; contents are read from the file when asked for.
 */
public final class ElfCore {
  private static final int PT_LOAD = 1;
  private static final int PT_NOTE = 4;
  private static final int PN_XNUM = 0xffff;
  private static final int NT_FILE = 0x46494c45;

  private final Path path;
  private final List<Segment> segments = new ArrayList<>();
  private final List<Note> notes = new ArrayList<>();

  /**
   * A {@code PT_LOAD} header.
   *
   * @param start first byte in memory
   * @param size bytes in memory
   * @param dumped bytes of them in the file
   * @param offset of these in the file
   * @param flags {@code rwx}, with dashes
   */
  public record Segment(long start, long size, long dumped, long offset, String flags) {
    /** {@code START-END rwx DUMPED}, in hexadecimal. */
    @Override
    public String toString() {
      return "%x-%x %s %x".formatted(start, start + size, flags, dumped);
    }
  }

  /**
   * A note.
   *
   * @param name whose numbering its type is of
   * @param type {@code NT_…}
   * @param description a little-endian view of its contents
   */
  public record Note(String name, int type, ByteBuffer description) {}

  /**
   * A line of the note of mapped files.
   *
   * @param start first byte
   * @param end first byte behind it
   * @param pageOffset in pages
   * @param path the file's name
   */
  public record MappedFile(long start, long end, long pageOffset, String path) {
    @Override
    public String toString() {
      return "%x-%x %x %s".formatted(start, end, pageOffset, path);
    }
  }

  private ElfCore(Path path) {
    this.path = path;
  }

  /**
   * Reads headers and notes.
   *
   * @throws IOException when the file cannot be read or is no ELF64 core of x86-64
   */
  public static ElfCore read(Path path) throws IOException {
    ElfCore core = new ElfCore(path);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
      ByteBuffer header = bytes(file, 0, 64);
      if (header.getInt(0) != 0x464c457f || header.get(4) != 2 || header.getShort(16) != 4
          || header.getShort(18) != 62) {
        throw new IOException(path + ": is no ELF64 core of x86-64");
      }
      int count = header.getShort(56) & 0xffff;
      if (count == PN_XNUM) {
        count = bytes(file, header.getLong(40), 64).getInt(44);
      }
      int size = header.getShort(54);
      ByteBuffer headers = bytes(file, header.getLong(32), count * size);
      for (int i = 0; i < count; i++) {
        core.header(file, headers.slice(i * size, size).order(ByteOrder.LITTLE_ENDIAN));
      }
    }
    return core;
  }

  private void header(RandomAccessFile file, ByteBuffer header) throws IOException {
    long offset = header.getLong(8);
    switch (header.getInt(0)) {
      case PT_LOAD -> {
        int bits = header.getInt(4);
        String flags =
            ((bits & 4) != 0 ? "r" : "-") + ((bits & 2) != 0 ? "w" : "-")
                + ((bits & 1) != 0 ? "x" : "-");
        segments.add(
            new Segment(
                header.getLong(16), header.getLong(40), header.getLong(32), offset, flags));
      }
      case PT_NOTE -> notes(bytes(file, offset, (int) header.getLong(32)));
      default -> throw new IOException(path + ": unknown program header " + header.getInt(0));
    }
  }

  private void notes(ByteBuffer all) {
    while (all.hasRemaining()) {
      int nameSize = all.getInt();
      int size = all.getInt();
      int type = all.getInt();
      String name = text(all.slice(all.position(), nameSize - 1));
      int at = all.position() + (nameSize + 3 & -4);
      notes.add(new Note(name, type, all.slice(at, size).order(ByteOrder.LITTLE_ENDIAN)));
      all.position(at + (size + 3 & -4));
    }
  }

  private static ByteBuffer bytes(RandomAccessFile file, long offset, int length)
      throws IOException {
    byte[] bytes = new byte[length];
    file.seek(offset);
    file.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static String text(ByteBuffer bytes) {
    return StandardCharsets.ISO_8859_1.decode(bytes).toString();
  }

  /** The {@code PT_LOAD} headers in the file's order. */
  public List<Segment> segments() {
    return List.copyOf(segments);
  }

  /** The notes in the file's order. */
  public List<Note> notes() {
    return List.copyOf(notes);
  }

  /**
   * The description of the first note of a type, whoever numbered it.
   *
   * @throws IllegalArgumentException when there is none
   */
  public ByteBuffer note(int type) {
    return notes.stream().filter(note -> note.type() == type).findFirst()
        .orElseThrow(() -> new IllegalArgumentException("type: no note " + type)).description();
  }

  /** What the note of mapped files says. */
  public List<MappedFile> files() {
    ByteBuffer note = note(NT_FILE);
    int count = (int) note.getLong(0);
    long pageSize = note.getLong(8);
    String[] names = text(note.slice(16 + 24 * count, note.limit() - 16 - 24 * count)).split("\0");
    List<MappedFile> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = 16 + 24 * i;
      files.add(
          new MappedFile(
              note.getLong(at), note.getLong(at + 8), note.getLong(at + 16) * pageSize / 4096,
              names[i]));
    }
    return files;
  }

  /**
   * The segment that holds an address.
   *
   * @throws IllegalArgumentException when there is none
   */
  public Segment segment(long address) {
    return segments.stream()
        .filter(s -> Long.compareUnsigned(address - s.start(), s.size()) < 0)
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException(
                "address: no segment at " + Long.toHexString(address)));
  }

  /**
   * The bytes at an address.
   *
   * @throws IllegalArgumentException when the core has not all of them
   */
  public byte[] memory(long address, int length) throws IOException {
    Segment segment = segment(address);
    long from = address - segment.start();
    if (from + length > segment.dumped()) {
      throw new IllegalArgumentException(
          "address: not dumped: " + Long.toHexString(address) + " of " + segment);
    }
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
      return bytes(file, segment.offset() + from, length).array();
    }
  }
}
