// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import io.faultline.host.linux.HostException;

/**
 * Instructions in a program's text that its tracer steps over. Nothing is ever written into a text: that
 * would give the mapping anonymous memory.
 *
 * @param syscall address of {@code syscall}
 * @param load address of {@code mov (%rdi),%al}, 0 for none
 * @param store address of {@code mov %al,(%rdi)}, 0 for none
 * @param writeKeys address of {@code wrpkru}, 0 for none
 */
public record Gadgets(long syscall, long load, long store, long writeKeys) {
  private static final byte[] SYSCALL = {0x0f, 0x05};
  private static final byte[] LOAD = {(byte) 0x8a, 0x07};
  private static final byte[] STORE = {(byte) 0x88, 0x07};
  private static final byte[] WRITE_KEYS = {0x0f, 0x01, (byte) 0xef};

  /** Looks through the executable mappings that can be read, [vdso] first: it is in every program. */
  static Gadgets find(ProcFiles proc, RemoteMemory memory) throws HostException {
    String maps = proc.maps();
    Gadgets found = new Gadgets(0, 0, 0, 0);
    for (int pass = 0; pass < 2; pass++) {
      for (String line : maps.split("\n")) {
        boolean vdso = line.endsWith("[vdso]");
        if (vdso != (pass == 0) || !line.contains(" r-x")) {
          continue;
        }
        found = found.or(in(line, memory));
        if (found.syscall != 0 && found.load != 0 && found.store != 0 && found.writeKeys != 0) {
          return found;
        }
      }
    }
    if (found.syscall == 0) {
      throw new HostException("no syscall instruction in any executable mapping:\n" + maps);
    }
    return found;
  }

  private Gadgets or(Gadgets other) {
    return new Gadgets(
        syscall != 0 ? syscall : other.syscall,
        load != 0 ? load : other.load,
        store != 0 ? store : other.store,
        writeKeys != 0 ? writeKeys : other.writeKeys);
  }

  private static Gadgets in(String line, RemoteMemory memory) throws HostException {
    int dash = line.indexOf('-');
    long start = Long.parseUnsignedLong(line, 0, dash, 16);
    long end = Long.parseUnsignedLong(line, dash + 1, line.indexOf(' '), 16);
    byte[] text = memory.read(start, (int) (end - start));
    return new Gadgets(
        at(start, text, SYSCALL), at(start, text, LOAD), at(start, text, STORE),
        at(start, text, WRITE_KEYS));
  }

  private static long at(long start, byte[] text, byte[] wanted) {
    for (int i = 0; i + wanted.length <= text.length; i++) {
      int k = 0;
      while (k < wanted.length && text[i + k] == wanted[k]) {
        k++;
      }
      if (k == wanted.length) {
        return start + i;
      }
    }
    return 0;
  }
}
