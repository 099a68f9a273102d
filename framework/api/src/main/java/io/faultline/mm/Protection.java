// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/**
 * The three rights of an area or a request: read, write, execute.
 *
 * @param read may be read
 * @param write may be written
 * @param execute may be executed
 */
public record Protection(boolean read, boolean write, boolean execute) {
  /** No right at all: {@code PROT_NONE}. */
  public static final Protection NONE = new Protection(false, false, false);

  /** {@code PROT_READ}. */
  public static final Protection READ = new Protection(true, false, false);

  /** {@code PROT_READ|PROT_WRITE}. */
  public static final Protection READ_WRITE = new Protection(true, true, false);

  /** The rights in a {@code PROT_…} word; its other bits are ignored. */
  public static Protection ofProt(int prot) {
    return new Protection(
        (prot & Mman.PROT_READ) != 0, (prot & Mman.PROT_WRITE) != 0, (prot & Mman.PROT_EXEC) != 0);
  }

  /** The rights in a set of area flags. */
  public static Protection ofFlags(VmFlags flags) {
    return new Protection(flags.has(VmFlag.READ), flags.has(VmFlag.WRITE), flags.has(VmFlag.EXEC));
  }

  /** The {@code PROT_…} word. */
  public int prot() {
    return (read ? Mman.PROT_READ : 0)
        | (write ? Mman.PROT_WRITE : 0)
        | (execute ? Mman.PROT_EXEC : 0);
  }

  /** Three characters as in {@code /proc/PID/maps}: {@code r-x}. */
  @Override
  public String toString() {
    return (read ? "r" : "-") + (write ? "w" : "-") + (execute ? "x" : "-");
  }
}
