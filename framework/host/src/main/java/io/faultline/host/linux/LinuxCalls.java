// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.linux;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Map;

/**
 * The system calls of this machine, made by the thread that opened this object and by no other: that is
 * checked, since {@code ptrace(2)} and {@code errno} belong to a thread.
 */
public final class LinuxCalls implements AutoCloseable {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final AddressLayout POINTER = ValueLayout.ADDRESS;

  /** {@code long syscall(long number, ...)}. */
  private static final MethodHandle SYSCALL = LINKER.downcallHandle(
      symbol("syscall"),
      FunctionDescriptor.of(LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG),
      Linker.Option.firstVariadicArg(1), Linker.Option.captureCallState("errno"));

  private static final MethodHandle POSIX_SPAWN = LINKER.downcallHandle(
      symbol("posix_spawn"),
      FunctionDescriptor.of(ValueLayout.JAVA_INT, POINTER, POINTER, POINTER, POINTER, POINTER,
          POINTER));
  private static final MethodHandle ATTRIBUTES_INIT = ofOnePointer("posix_spawnattr_init");
  private static final MethodHandle ATTRIBUTES_DESTROY = ofOnePointer("posix_spawnattr_destroy");
  private static final MethodHandle ATTRIBUTES_SET_MASK =
      ofTwoPointers("posix_spawnattr_setsigmask");
  private static final MethodHandle ATTRIBUTES_SET_DEFAULT =
      ofTwoPointers("posix_spawnattr_setsigdefault");
  private static final MethodHandle ATTRIBUTES_SET_FLAGS = LINKER.downcallHandle(
      symbol("posix_spawnattr_setflags"),
      FunctionDescriptor.of(ValueLayout.JAVA_INT, POINTER, ValueLayout.JAVA_SHORT));
  private static final MethodHandle ACTIONS_INIT = ofOnePointer("posix_spawn_file_actions_init");
  private static final MethodHandle ACTIONS_DESTROY =
      ofOnePointer("posix_spawn_file_actions_destroy");
  private static final MethodHandle ACTIONS_ADD_OPEN = LINKER.downcallHandle(
      symbol("posix_spawn_file_actions_addopen"),
      FunctionDescriptor.of(ValueLayout.JAVA_INT, POINTER, ValueLayout.JAVA_INT, POINTER,
          ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle STRERROR = LINKER.downcallHandle(
      symbol("strerror"), FunctionDescriptor.of(POINTER, ValueLayout.JAVA_INT));

  private static final short SETSIGDEF_AND_SETSIGMASK = 0x04 | 0x08;

  /** Larger than the C library's opaque structures (posix_spawnattr_t has 336 bytes in glibc). */
  private static final long OPAQUE = 1024;
  private static final int SIGNAL_SET = 128;
  private static final int NAME_LENGTH = 65;

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment state = arena.allocate(STATE);

  private LinuxCalls() {}

  /** Opens the calls for the current thread, which must be a platform thread. */
  public static LinuxCalls open() {
    if (Thread.currentThread().isVirtual()) {
      throw new IllegalStateException("a virtual thread has no kernel thread of its own");
    }
    return new LinuxCalls();
  }

  /** Whether the JVM grants native access and the C library has what is needed. */
  public static boolean available() {
    try (LinuxCalls calls = open()) {
      return calls.call(SyscallNumber.GETPID) > 0;
    } catch (IllegalCallerException | LinkageError | UnsupportedOperationException e) {
      return false;
    }
  }

  /**
   * Makes a system call.
   *
   * @param number the call, see {@link SyscallNumber}
   * @return the result; an error is the negative of its number, as the kernel answers
   */
  public long call(long number, long a, long b, long c, long d, long e, long f) {
    try {
      long result = (long) SYSCALL.invokeExact(state, number, a, b, c, d, e, f);
      return result == -1 ? -(long) (int) ERRNO.get(state, 0L) : result;
    } catch (RuntimeException | Error e2) {
      throw e2;
    } catch (Throwable t) {
      throw new AssertionError(t);
    }
  }

  /** {@link #call(long, long, long, long, long, long, long)} with zeros behind. */
  public long call(long number) {
    return call(number, 0, 0, 0, 0, 0, 0);
  }

  /** {@link #call(long, long, long, long, long, long, long)} with zeros behind. */
  public long call(long number, long a) {
    return call(number, a, 0, 0, 0, 0, 0);
  }

  /** {@link #call(long, long, long, long, long, long, long)} with zeros behind. */
  public long call(long number, long a, long b) {
    return call(number, a, b, 0, 0, 0, 0);
  }

  /** {@link #call(long, long, long, long, long, long, long)} with zeros behind. */
  public long call(long number, long a, long b, long c) {
    return call(number, a, b, c, 0, 0, 0);
  }

  /** {@link #call(long, long, long, long, long, long, long)} with zeros behind. */
  public long call(long number, long a, long b, long c, long d) {
    return call(number, a, b, c, d, 0, 0);
  }

  /** Memory that lives as long as this object and is at most a page boundary's multiple aligned. */
  public MemorySegment allocate(long bytes) {
    return arena.allocate(bytes, 16);
  }

  /** What {@code uname -r} prints. */
  public String kernelRelease() {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment names = scratch.allocate(6L * NAME_LENGTH);
      call(SyscallNumber.UNAME, names.address());
      return names.getString(2L * NAME_LENGTH);
    }
  }

  /** The text that belongs to an error number, such as {@code Cannot allocate memory}. */
  static String text(int errno) {
    try {
      MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
      return text.reinterpret(256).getString(0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable t) {
      throw new AssertionError(t);
    }
  }

  /**
   * Starts a program with no signal blocked and all at their defaults (the JVM changes both), without
   * {@code fork(2)} in the JVM. The calling thread is its parent.
   *
   * @param program its path
   * @param arguments with the name it is called by at the front
   * @param environment its variables
   * @param redirect descriptors to open on files for reading and writing
   * @return its process number, or the negative error number
   */
  public int spawn(String program, List<String> arguments, Map<String, String> environment,
      Map<Integer, String> redirect) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment attributes = scratch.allocate(OPAQUE, 16);
      MemorySegment actions = scratch.allocate(OPAQUE, 16);
      MemorySegment none = scratch.allocate(SIGNAL_SET, 8);
      MemorySegment all = scratch.allocate(SIGNAL_SET, 8).fill((byte) -1);
      MemorySegment pid = scratch.allocate(ValueLayout.JAVA_INT);
      require((int) ATTRIBUTES_INIT.invokeExact(attributes));
      require((int) ACTIONS_INIT.invokeExact(actions));
      require((int) ATTRIBUTES_SET_MASK.invokeExact(attributes, none));
      require((int) ATTRIBUTES_SET_DEFAULT.invokeExact(attributes, all));
      require((int) ATTRIBUTES_SET_FLAGS.invokeExact(attributes, SETSIGDEF_AND_SETSIGMASK));
      for (Map.Entry<Integer, String> entry : redirect.entrySet()) {
        MemorySegment path = scratch.allocateFrom(entry.getValue());
        require((int) ACTIONS_ADD_OPEN.invokeExact(
            actions, (int) entry.getKey(), path, OpenFlags.RDWR, 0));
      }
      int errno = (int) POSIX_SPAWN.invokeExact(pid, scratch.allocateFrom(program), actions,
          attributes, strings(scratch, arguments), strings(scratch,
              environment.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList()));
      require((int) ACTIONS_DESTROY.invokeExact(actions));
      require((int) ATTRIBUTES_DESTROY.invokeExact(attributes));
      return errno == 0 ? pid.get(ValueLayout.JAVA_INT, 0) : -errno;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable t) {
      throw new AssertionError(t);
    }
  }

  /** Frees the memory given out. */
  @Override
  public void close() {
    arena.close();
  }

  private static void require(int errno) {
    if (errno != 0) {
      throw new IllegalStateException("posix_spawn: " + Errnos.describe(errno));
    }
  }

  private static MemorySegment strings(Arena arena, List<String> strings) {
    MemorySegment array = arena.allocate(POINTER, strings.size() + 1L);
    for (int i = 0; i < strings.size(); i++) {
      array.setAtIndex(POINTER, i, arena.allocateFrom(strings.get(i)));
    }
    return array;
  }

  private static MemorySegment symbol(String name) {
    return SymbolLookup.loaderLookup().find(name).or(() -> LINKER.defaultLookup().find(name))
        .orElseThrow(() -> new UnsupportedOperationException(name + " is not in the C library"));
  }

  private static MethodHandle ofOnePointer(String name) {
    return LINKER.downcallHandle(
        symbol(name), FunctionDescriptor.of(ValueLayout.JAVA_INT, POINTER));
  }

  private static MethodHandle ofTwoPointers(String name) {
    return LINKER.downcallHandle(
        symbol(name), FunctionDescriptor.of(ValueLayout.JAVA_INT, POINTER, POINTER));
  }
}
