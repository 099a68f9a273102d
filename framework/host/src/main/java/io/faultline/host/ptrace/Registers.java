// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The general registers of a stopped thread ({@code struct user_regs_struct}), as a copy of them. */
public final class Registers {
  static final long BYTES = 27 * 8;

  private static final int R10 = 7;
  private static final int R9 = 8;
  private static final int R8 = 9;
  private static final int RAX = 10;
  private static final int RCX = 11;
  private static final int RDX = 12;
  private static final int RSI = 13;
  private static final int RDI = 14;
  private static final int ORIG_RAX = 15;
  private static final int RIP = 16;
  private static final int RSP = 19;

  private final MemorySegment words;

  Registers(MemorySegment words) {
    this.words = words;
  }

  MemorySegment words() {
    return words;
  }

  void copyFrom(Registers other) {
    words.copyFrom(other.words);
  }

  /** The result of a call, and its number on the way in. */
  public long rax() {
    return get(RAX);
  }

  /** The number of the call that the thread is in, -1 outside of calls. */
  public long originalRax() {
    return get(ORIG_RAX);
  }

  /** Where it goes on. */
  public long rip() {
    return get(RIP);
  }

  /** Its stack. */
  public long rsp() {
    return get(RSP);
  }

  /**
   * An argument of a call.
   *
   * @param n from 0 to 5
   */
  public long argument(int n) {
    return get(switch (n) {
      case 0 -> RDI;
      case 1 -> RSI;
      case 2 -> RDX;
      case 3 -> R10;
      case 4 -> R8;
      case 5 -> R9;
      default -> throw new IllegalArgumentException("n: " + n + " is not in 0 to 5");
    });
  }

  /** Sets where it goes on, and forgets a call that the kernel would restart. */
  public void jump(long address) {
    set(RIP, address);
    set(ORIG_RAX, -1);
  }

  /** Sets up a system call. */
  void call(long number, long a, long b, long c, long d, long e, long f) {
    set(RAX, number);
    set(RDI, a);
    set(RSI, b);
    set(RDX, c);
    set(R10, d);
    set(R8, e);
    set(R9, f);
  }

  void rax(long value) {
    set(RAX, value);
  }

  void rdi(long value) {
    set(RDI, value);
  }

  void rcx(long value) {
    set(RCX, value);
  }

  void rdx(long value) {
    set(RDX, value);
  }

  private long get(int index) {
    return words.getAtIndex(ValueLayout.JAVA_LONG, index);
  }

  private void set(int index, long value) {
    words.setAtIndex(ValueLayout.JAVA_LONG, index, value);
  }
}
