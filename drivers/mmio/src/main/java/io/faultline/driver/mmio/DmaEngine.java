// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.mmio;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;

/**
 * Copies between the device's own buffer and memory. Its addresses are those of the bus: 0 is the first
 * byte of the memory that the driver gave it, as behind an IOMMU. Guarded by the device.
 */
final class DmaEngine {
  /** Where the device sees its own buffer. */
  static final long BUFFER = 0x40000;

  static final int BUFFER_BYTES = 4096;

  static final int START = 0x01;
  /** From the buffer to memory; without it, from memory to the buffer. */
  static final int TO_MEMORY = 0x02;
  static final int INTERRUPT = 0x04;

  private static final Logger LOG = System.getLogger("io.faultline.driver.mmio");
  private static final int COMMANDS = START | TO_MEMORY | INTERRUPT;

  private final MemorySegment memory;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private long source;
  private long destination;
  private long count;
  private long command;

  /**
   * @param memory what the bus leads to
   */
  DmaEngine(MemorySegment memory) {
    this.memory = memory;
  }

  boolean isRunning() {
    return (command & START) != 0;
  }

  long source() {
    return source;
  }

  long destination() {
    return destination;
  }

  long count() {
    return count;
  }

  long command() {
    return command;
  }

  // A transfer that runs is not disturbed: what is written meanwhile is lost.

  void setSource(long address) {
    source = isRunning() ? source : address;
  }

  void setDestination(long address) {
    destination = isRunning() ? destination : address;
  }

  void setCount(long bytes) {
    count = isRunning() ? count : bytes;
  }

  /** Sets the command; whether a transfer begins. */
  boolean setCommand(long bits) {
    if (isRunning()) {
      return false;
    }
    command = bits & COMMANDS;
    return isRunning();
  }

  /**
   * Carries the transfer out.
   *
   * @return whether an interrupt is due
   */
  boolean run() {
    boolean toMemory = (command & TO_MEMORY) != 0;
    long inBuffer = (toMemory ? source : destination) - BUFFER;
    long inMemory = toMemory ? destination : source;
    MemorySegment own = MemorySegment.ofArray(buffer);
    command &= ~START;
    if (!fits(inBuffer, BUFFER_BYTES) || !fits(inMemory, memory.byteSize())) {
      LOG.log(
          Level.WARNING, "edu: a transfer of {0} bytes from 0x{1} to 0x{2} leaves the buffer or"
              + " the memory; nothing was copied",
          count, Long.toHexString(source), Long.toHexString(destination));
      return false;
    }
    if (toMemory) {
      MemorySegment.copy(own, inBuffer, memory, inMemory, count);
    } else {
      MemorySegment.copy(memory, inMemory, own, inBuffer, count);
    }
    return (command & INTERRUPT) != 0;
  }

  private boolean fits(long offset, long size) {
    return offset >= 0 && count >= 0 && count <= size && offset <= size - count;
  }

  void save(DataOutput out) throws IOException {
    out.writeLong(source);
    out.writeLong(destination);
    out.writeLong(count);
    out.writeLong(command);
    out.write(buffer);
  }

  void restore(DataInput in) throws IOException {
    source = in.readLong();
    destination = in.readLong();
    count = in.readLong();
    command = in.readLong();
    in.readFully(buffer);
  }
}
