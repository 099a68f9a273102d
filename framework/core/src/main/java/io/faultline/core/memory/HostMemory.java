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

/** The host's {@code mmap}, {@code munmap} and {@code madvise}, where this JVM may call them. */
final class HostMemory {
  /** Asked rather than tried: a try without permission would print the JVM's warning. */
  static final boolean AVAILABLE = HostMemory.class.getModule().isNativeAccessEnabled()
      && System.getProperty("os.name", "").equals("Linux") && ValueLayout.ADDRESS.byteSize() == 8;

  private static final int PROT_READ_WRITE = 0x1 | 0x2;
  private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000;
  private static final int MADV_DONTNEED = 4;

  private HostMemory() {}

  /** Maps zero-filled memory, unmapped when the arena ends. */
  static MemorySegment map(long bytes, Arena arena) {
    long address;
    try {
      address = (long) Mmap.HANDLE.invokeExact(0L, bytes, PROT_READ_WRITE,
          MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L);
    } catch (Throwable e) {
      throw impossible(e);
    }
    if (address == -1) {
      throw new UncheckedIOException(new IOException(
          "the host refuses " + bytes + " bytes of address space: give the kernel less memory"));
    }
    return MemorySegment.ofAddress(address).reinterpret(bytes, arena,
        segment -> unmap(address, bytes));
  }

  private static void unmap(long address, long bytes) {
    try {
      // It can only fail for a range that map did not return.
      int ignored = (int) Munmap.HANDLE.invokeExact(address, bytes);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Gives the content of mapped memory back to the host: it reads as zeros afterwards. */
  static void forget(MemorySegment mapped) {
    try {
      // It can only fail for a range that map did not return.
      int ignored =
          (int) Madvise.HANDLE.invokeExact(mapped.address(), mapped.byteSize(), MADV_DONTNEED);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  private static AssertionError impossible(Throwable e) {
    return new AssertionError("the handles have these types", e);
  }

  private static MethodHandle handle(String function, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(function), type);
  }

  // Each apart: a handle takes milliseconds to make, and only the first is needed at the start.

  private static final class Mmap {
    static final MethodHandle HANDLE = handle("mmap",
        FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG));
  }

  private static final class Munmap {
    static final MethodHandle HANDLE = handle("munmap",
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  }

  private static final class Madvise {
    static final MethodHandle HANDLE = handle("madvise", FunctionDescriptor.of(
        ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
  }
}
