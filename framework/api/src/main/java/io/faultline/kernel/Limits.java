// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * The resource limits of a process that memory calls look at ({@code getrlimit(2)}); only the soft
 * limits matter to them. All in bytes; {@link #UNLIMITED} for none.
 *
 * @param stack RLIMIT_STACK
 * @param addressSpace RLIMIT_AS
 * @param data RLIMIT_DATA
 * @param lockedMemory RLIMIT_MEMLOCK
 */
public record Limits(long stack, long addressSpace, long data, long lockedMemory) {
  /** RLIM_INFINITY; limits compare as unsigned numbers. */
  public static final long UNLIMITED = -1L;

  /** 8 MiB of stack and of locked memory, no other limit. */
  public static final Limits DEFAULT = new Limits(8 << 20, UNLIMITED, UNLIMITED, 8 << 20);

  /** The same with another RLIMIT_STACK. */
  public Limits withStack(long bytes) {
    return new Limits(bytes, addressSpace, data, lockedMemory);
  }

  /** The same with another RLIMIT_AS. */
  public Limits withAddressSpace(long bytes) {
    return new Limits(stack, bytes, data, lockedMemory);
  }

  /** The same with another RLIMIT_DATA. */
  public Limits withData(long bytes) {
    return new Limits(stack, addressSpace, bytes, lockedMemory);
  }

  /** The same with another RLIMIT_MEMLOCK. */
  public Limits withLockedMemory(long bytes) {
    return new Limits(stack, addressSpace, data, bytes);
  }
}
