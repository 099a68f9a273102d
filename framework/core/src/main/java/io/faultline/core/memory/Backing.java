// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Where the bytes of physical memory come from: zero-filled, page-aligned address space that the host
 * fills with memory only where it is touched.
 *
 * <p>With native access that is an anonymous private {@code mmap} without reservation; without it, a
 * sparse temporary file, mapped. Another source (a memfd that a real process maps too) takes its
 * place here.
 */
final class Backing {
  private static final int PROT_READ_WRITE = 0x1 | 0x2;
  private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000;

  private Backing() {}

  /**
   * Reserves memory, given back when the arena is closed.
   *
   * @param bytes a multiple of the page size
   * @throws UncheckedIOException when neither way works
   */
  static MemorySegment reserve(long bytes, Arena arena) {
    if (hasNativeMmap()) {
      return anonymous(bytes, arena);
    }
    return sparseFile(bytes, arena);
  }

  /** Asked rather than tried: a try without permission would print the JVM's warning. */
  private static boolean hasNativeMmap() {
    return Backing.class.getModule().isNativeAccessEnabled()
        && System.getProperty("os.name", "").equals("Linux")
        && ValueLayout.ADDRESS.byteSize() == 8;
  }

  static MemorySegment anonymous(long bytes, Arena arena) {
    Linker linker = Linker.nativeLinker();
    MethodHandle mmap = linker.downcallHandle(
        linker.defaultLookup().findOrThrow("mmap"),
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG));
    MethodHandle munmap = linker.downcallHandle(
        linker.defaultLookup().findOrThrow("munmap"),
        FunctionDescriptor.of(
            ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    long address;
    try {
      address = (long) mmap.invokeExact(
          0L, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L);
    } catch (Throwable e) {
      throw new AssertionError("mmap takes these arguments", e);
    }
    if (address == -1) {
      throw new UncheckedIOException(new IOException(
          "the host refuses " + bytes + " bytes of address space; give the kernel less memory"));
    }
    return MemorySegment.ofAddress(address).reinterpret(bytes, arena, segment -> {
      try {
        int unused = (int) munmap.invokeExact(address, bytes);
      } catch (Throwable e) {
        throw new AssertionError("munmap takes these arguments", e);
      }
    });
  }

  static MemorySegment sparseFile(long bytes, Arena arena) {
    try {
      Path file = Files.createTempFile("faultline-memory", ".bin");
      try (FileChannel channel = FileChannel.open(
          file, StandardOpenOption.READ, StandardOpenOption.WRITE,
          StandardOpenOption.DELETE_ON_CLOSE, StandardOpenOption.SPARSE)) {
        return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "no temporary file of " + bytes + " bytes for physical memory; set java.io.tmpdir to a"
              + " file system with room, or allow native access",
          e);
    }
  }
}
