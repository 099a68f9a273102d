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
      address = (long) Calls.MMAP.invokeExact(0L, bytes, PROT_READ_WRITE,
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
      int ignored = (int) Calls.MUNMAP.invokeExact(address, bytes);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Gives the content of mapped memory back to the host: it reads as zeros afterwards. */
  static void forget(MemorySegment mapped) {
    try {
      // It can only fail for a range that map did not return.
      int ignored =
          (int) Calls.MADVISE.invokeExact(mapped.address(), mapped.byteSize(), MADV_DONTNEED);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  private static AssertionError impossible(Throwable e) {
    return new AssertionError("the handles have these types", e);
  }

  /** Apart, so that nothing native is looked up where it is not available. */
  private static final class Calls {
    private static final Linker LINKER = Linker.nativeLinker();

    static final MethodHandle MMAP = handle("mmap",
        FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG));
    static final MethodHandle MUNMAP = handle("munmap",
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    static final MethodHandle MADVISE = handle("madvise", FunctionDescriptor.of(
        ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));

    private static MethodHandle handle(String function, FunctionDescriptor type) {
      return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(function), type);
    }
  }
}
