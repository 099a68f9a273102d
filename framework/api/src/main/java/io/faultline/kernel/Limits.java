// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * The resource limits of a process that memory calls look at ({@code getrlimit(2)}): the soft ones,
 * and of the hard ones that of RLIMIT_DATA. All in bytes; {@link #UNLIMITED} for none.
 *
 * @param stack RLIMIT_STACK
 * @param addressSpace RLIMIT_AS
 * @param data RLIMIT_DATA
 * @param lockedMemory RLIMIT_MEMLOCK
 * @param dataMaximum the hard limit of RLIMIT_DATA, which counts while the soft one is 0 ({@code
 *     may_expand_vm}: "workaround for Valgrind")
 */
public record Limits(
    long stack, long addressSpace, long data, long lockedMemory, long dataMaximum) {
  /** RLIM_INFINITY; limits compare as unsigned numbers. */
  public static final long UNLIMITED = -1L;

  /** 8 MiB of stack and of locked memory, no other limit. */
  public static final Limits DEFAULT = new Limits(8 << 20, UNLIMITED, UNLIMITED, 8 << 20);

  /** Limits without a hard one. */
  public Limits(long stack, long addressSpace, long data, long lockedMemory) {
    this(stack, addressSpace, data, lockedMemory, UNLIMITED);
  }

  /** The same with another RLIMIT_STACK. */
  public Limits withStack(long bytes) {
    return new Limits(bytes, addressSpace, data, lockedMemory, dataMaximum);
  }

  /** The same with another RLIMIT_AS. */
  public Limits withAddressSpace(long bytes) {
    return new Limits(stack, bytes, data, lockedMemory, dataMaximum);
  }

  /** The same with another RLIMIT_DATA; the hard limit stays. */
  public Limits withData(long bytes) {
    return new Limits(stack, addressSpace, bytes, lockedMemory, dataMaximum);
  }

  /** The same with another hard limit of RLIMIT_DATA. */
  public Limits withDataMaximum(long bytes) {
    return new Limits(stack, addressSpace, data, lockedMemory, bytes);
  }

  /** The same with another RLIMIT_MEMLOCK. */
  public Limits withLockedMemory(long bytes) {
    return new Limits(stack, addressSpace, data, bytes, dataMaximum);
  }
}
