// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Where the bytes of physical memory come from: zero-filled, page-aligned address space that the host
 * fills with memory only where it is touched.
 *
 * <p>With native access that is an anonymous private {@code mmap} without reservation; without it, a
 * sparse temporary file, mapped. Another source (a memfd that a real process maps too) takes its place
 * here.
 */
sealed interface Backing {
  /** All the bytes. */
  MemorySegment segment();

  /** Gives the host its memory back. */
  void release();

  /**
   * Reserves memory in the best way that this JVM allows.
   *
   * @param bytes a multiple of the page size
   * @throws UncheckedIOException when the host refuses
   */
  static Backing reserve(long bytes) {
    return HostMemory.AVAILABLE ? new Anonymous(bytes) : new SparseFile(bytes);
  }

  /**
   * Anonymous memory of the host. Released, it loses its content but not its addresses: these go when
   * nothing refers to the segment any more, so that a {@code Cpu} that is used too late reads zeros
   * and does not bring the JVM down.
   */
  final class Anonymous implements Backing {
    private final MemorySegment segment;

    Anonymous(long bytes) {
      segment = HostMemory.map(bytes, Arena.ofAuto());
    }

    @Override
    public MemorySegment segment() {
      return segment;
    }

    @Override
    public void release() {
      HostMemory.forget(segment);
    }
  }

  /** A temporary file, mapped, that has lost its name. */
  final class SparseFile implements Backing {
    private final Arena lifetime = Arena.ofShared();
    private final MemorySegment segment;

    SparseFile(long bytes) {
      try {
        Path file = Files.createTempFile("faultline-memory", ".bin");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ,
            StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
          segment = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, lifetime);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(
            "no temporary file of " + bytes + " bytes for physical memory: set java.io.tmpdir to a"
                + " file system with room, or allow native access"
                + " (--enable-native-access=ALL-UNNAMED)",
            e);
      }
    }

    @Override
    public MemorySegment segment() {
      return segment;
    }

    @Override
    public void release() {
      if (lifetime.scope().isAlive()) {
        lifetime.close();
      }
    }
  }
}
