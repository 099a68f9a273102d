// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

/**
 * What a thread that stands at a system call is about to do, or has done.
 *
 * @param entry whether it is about to enter the call
 * @param architecture {@link #X86_64} or another one
 * @param number the call's number; only at an entry
 * @param arguments all six; only at an entry
 * @param result the result, negative error numbers included; only at an exit
 */
public record SyscallStop(
    boolean entry, int architecture, int number, long[] arguments, long result) {
  /** AUDIT_ARCH_X86_64. */
  public static final int X86_64 = 0xC000003E;
}
