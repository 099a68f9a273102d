// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The heavy half of a pair of memory barriers: makes every other thread of this JVM pass a full
 * barrier, so that those threads need none of their own where it matters.
 *
 * <p>The light half is for the other side to write: a store and a load that the compiler keeps in this
 * order (an opaque store, then the load). Then either the load sees what was written before {@link
 * #run}, or whoever called it sees the store.
 */
sealed interface AsymmetricBarrier {
  /** The cheapest that this host has. */
  static AsymmetricBarrier best() {
    AsymmetricBarrier membarrier = Membarrier.register();
    return membarrier != null ? membarrier : new Handshake();
  }

  /** On return, every other thread has passed a full memory barrier since the call. */
  void run();

  /**
   * {@code membarrier(2)}, expedited: an inter-processor interrupt to those processors that run one of
   * our threads, about a microsecond.
   */
  record Membarrier(MethodHandle syscall, long number) implements AsymmetricBarrier {
    private static final int REGISTER_PRIVATE_EXPEDITED = 1 << 4;
    private static final int PRIVATE_EXPEDITED = 1 << 3;

    /** Null where the host has none or this JVM may not call it. */
    static @org.jspecify.annotations.Nullable AsymmetricBarrier register() {
      long number = switch (System.getProperty("os.arch", "")) {
        case "amd64" -> 324;
        case "aarch64", "riscv64" -> 283;
        default -> -1;
      };
      if (number == -1 || !System.getProperty("os.name", "").equals("Linux")
          || !AsymmetricBarrier.class.getModule().isNativeAccessEnabled()) {
        return null;
      }
      Linker linker = Linker.nativeLinker();
      MemorySegment function = linker.defaultLookup().find("syscall").orElse(MemorySegment.NULL);
      if (function.equals(MemorySegment.NULL)) {
        return null;
      }
      MethodHandle syscall = linker.downcallHandle(function,
          FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(1));
      Membarrier barrier = new Membarrier(syscall, number);
      return barrier.call(REGISTER_PRIVATE_EXPEDITED) == 0 ? barrier : null;
    }

    private long call(int command) {
      try {
        return (long) syscall.invokeExact(number, command, 0, 0);
      } catch (Throwable e) {
        throw new AssertionError("the handle has this type", e);
      }
    }

    @Override
    public void run() {
      if (call(PRIVATE_EXPEDITED) != 0) {
        throw new IllegalStateException("membarrier(2) fails after it was registered");
      }
    }
  }

  /**
   * The JVM's own: closing a shared arena shakes hands with every thread, each of which passes a
   * safepoint poll. Tens to hundreds of microseconds, everywhere.
   */
  record Handshake() implements AsymmetricBarrier {
    @Override
    public void run() {
      Arena.ofShared().close();
    }
  }
}
