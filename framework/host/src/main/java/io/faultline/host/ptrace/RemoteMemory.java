// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * The memory of a traced process ({@code process_vm_readv(2)}). Reading and writing here faults pages in
 * as the process itself would: a write to a private page gives it anonymous memory. Confined to the
 * tracer's thread.
 */
public final class RemoteMemory {
  private static final int CHUNK = 4096;

  private final LinuxCalls calls;
  private final int pid;
  private final MemorySegment vectors;
  private final MemorySegment buffer;

  RemoteMemory(LinuxCalls calls, int pid, MemorySegment buffer) {
    this.calls = calls;
    this.pid = pid;
    this.vectors = buffer.asSlice(0, 32);
    this.buffer = buffer.asSlice(32, CHUNK);
  }

  /**
   * Reads.
   *
   * @throws HostException when not all of the range is readable
   */
  public byte[] read(long address, int length) throws HostException {
    byte[] bytes = new byte[length];
    for (int done = 0; done < length;) {
      int part = Math.min(CHUNK, length - done);
      transfer(SyscallNumber.PROCESS_VM_READV, "read", address + done, part);
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, bytes, done, part);
      done += part;
    }
    return bytes;
  }

  /** Reads a word of eight bytes. */
  public long readLong(long address) throws HostException {
    transfer(SyscallNumber.PROCESS_VM_READV, "read", address, Long.BYTES);
    return buffer.get(ValueLayout.JAVA_LONG, 0);
  }

  /**
   * Reads the bytes before a zero byte, one character each.
   *
   * @param limit how many at most
   */
  public String readString(long address, int limit) throws HostException {
    StringBuilder text = new StringBuilder();
    for (long at = address; text.length() < limit;) {
      // Never across a page: the next one need not be there.
      int part = (int) Math.min(CHUNK - (at & (CHUNK - 1)), limit - text.length());
      String piece = new String(read(at, part), StandardCharsets.ISO_8859_1);
      int end = piece.indexOf('\0');
      if (end >= 0) {
        return text.append(piece, 0, end).toString();
      }
      text.append(piece);
      at += part;
    }
    return text.toString();
  }

  /**
   * Writes, where the process itself may write.
   *
   * @throws HostException when not all of the range is writable
   */
  public void write(long address, byte[] bytes) throws HostException {
    for (int done = 0; done < bytes.length;) {
      int part = Math.min(CHUNK, bytes.length - done);
      MemorySegment.copy(bytes, done, buffer, ValueLayout.JAVA_BYTE, 0, part);
      transfer(SyscallNumber.PROCESS_VM_WRITEV, "write", address + done, part);
      done += part;
    }
  }

  /** Writes a word of eight bytes. */
  public void writeLong(long address, long value) throws HostException {
    buffer.set(ValueLayout.JAVA_LONG, 0, value);
    transfer(SyscallNumber.PROCESS_VM_WRITEV, "write", address, Long.BYTES);
  }

  private void transfer(int call, String what, long address, int length) throws HostException {
    vectors.setAtIndex(ValueLayout.JAVA_LONG, 0, buffer.address());
    vectors.setAtIndex(ValueLayout.JAVA_LONG, 1, length);
    vectors.setAtIndex(ValueLayout.JAVA_LONG, 2, address);
    vectors.setAtIndex(ValueLayout.JAVA_LONG, 3, length);
    long result =
        calls.call(call, pid, vectors.address(), 1, vectors.address() + 16, 1, 0);
    if (result != length) {
      throw new HostException(
          "cannot %s %d bytes at 0x%x of process %d: %s".formatted(what, length, address, pid,
              result < 0 ? Errnos.describe((int) -result) : "only " + result),
          result < 0 ? (int) -result : 0);
    }
  }
}
