// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.mmio;

import io.faultline.device.IoHandler;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executor;

/**
 * The registers of the edu device, at the offsets that QEMU's documentation gives them. Below 0x80 they
 * are read and written in fours, from there on in fours or eights; everything else reads as ones and is
 * lost when written. Thread-safe.
 *
 * <p>The factorial and transfers are worked out by the executor. While the state is being handed over
 * that work rests; it goes on when somebody speaks to the device again, which may be another version.
 */
final class EduDevice implements IoHandler {
  static final long IDENTIFICATION = 0x00;
  static final long LIVENESS = 0x04;
  static final long FACTORIAL = 0x08;
  static final long STATUS = 0x20;
  static final long INTERRUPT_STATUS = 0x24;
  static final long INTERRUPT_RAISE = 0x60;
  static final long INTERRUPT_ACKNOWLEDGE = 0x64;
  static final long DMA_SOURCE = 0x80;
  static final long DMA_DESTINATION = 0x88;
  static final long DMA_COUNT = 0x90;
  static final long DMA_COMMAND = 0x98;

  /** Version 1.0. */
  static final int IDENTITY = 0x010000ed;

  static final int COMPUTING = 0x01;
  static final int INTERRUPT_AFTER_FACTORIAL = 0x80;

  static final int FACTORIAL_DONE = 0x001;
  static final int DMA_DONE = 0x100;

  private static final long NOTHING = -1;
  private static final long WIDE_FROM = 0x80;

  private final Executor worker;
  // Guarded by this object's monitor.
  private final Interrupts interrupts = new Interrupts();
  private final DmaEngine dma;
  private int liveness;
  private int factorial;
  private int status;
  private boolean resting;
  private boolean closed;

  /**
   * @param worker computes and copies, one thing after the other
   * @param memory what the DMA engine reaches
   */
  EduDevice(Executor worker, MemorySegment memory) {
    this.worker = worker;
    this.dma = new DmaEngine(memory);
  }

  private static boolean answers(long offset, int size) {
    return size == Integer.BYTES || size == Long.BYTES && offset >= WIDE_FROM;
  }

  @Override
  public synchronized long read(long offset, int size) {
    goOn();
    if (!answers(offset, size)) {
      return NOTHING;
    }
    if (offset == IDENTIFICATION) {
      return IDENTITY;
    } else if (offset == LIVENESS) {
      return liveness;
    } else if (offset == FACTORIAL) {
      return factorial;
    } else if (offset == STATUS) {
      return status;
    } else if (offset == INTERRUPT_STATUS) {
      return interrupts.status();
    } else if (offset == DMA_SOURCE) {
      return dma.source();
    } else if (offset == DMA_DESTINATION) {
      return dma.destination();
    } else if (offset == DMA_COUNT) {
      return dma.count();
    } else if (offset == DMA_COMMAND) {
      return dma.command();
    }
    return NOTHING;
  }

  @Override
  public synchronized void write(long offset, int size, long value) {
    goOn();
    if (!answers(offset, size)) {
      return;
    }
    if (offset == LIVENESS) {
      liveness = ~(int) value;
    } else if (offset == FACTORIAL) {
      compute((int) value);
    } else if (offset == STATUS) {
      status = status & COMPUTING | (int) value & INTERRUPT_AFTER_FACTORIAL;
    } else if (offset == INTERRUPT_RAISE) {
      interrupts.raise((int) value);
    } else if (offset == INTERRUPT_ACKNOWLEDGE) {
      interrupts.acknowledge((int) value);
    } else if (offset == DMA_SOURCE) {
      dma.setSource(value);
    } else if (offset == DMA_DESTINATION) {
      dma.setDestination(value);
    } else if (offset == DMA_COUNT) {
      dma.setCount(value);
    } else if (offset == DMA_COMMAND && dma.setCommand(value)) {
      worker.execute(this::transfer);
    }
  }

  /** How often an interrupt was raised, modulo 2<sup>32</sup>. */
  synchronized int interrupts() {
    goOn();
    return interrupts.count();
  }

  // ---- work -------------------------------------------------------------------------------------

  private void compute(int operand) {
    if ((status & COMPUTING) == 0) {
      factorial = operand;
      status |= COMPUTING;
      worker.execute(this::factorial);
    }
  }

  private void factorial() {
    int operand;
    synchronized (this) {
      operand = factorial;
    }
    int product = 1;
    // Once it is 0 it stays 0: 34! is a multiple of 2 to the 32nd.
    for (int factor = operand; factor != 0 && product != 0; factor--) {
      product *= factor;
    }
    synchronized (this) {
      if (!resting && !closed) {
        factorial = product;
        status &= ~COMPUTING;
        interrupts.raise((status & INTERRUPT_AFTER_FACTORIAL) != 0 ? FACTORIAL_DONE : 0);
      }
    }
  }

  private synchronized void transfer() {
    if (!resting && !closed) {
      interrupts.raise(dma.run() ? DMA_DONE : 0);
    }
  }

  /** Somebody speaks to this device: it is the one that serves, and what rested goes on. */
  private void goOn() {
    if (resting && !closed) {
      resting = false;
      if ((status & COMPUTING) != 0) {
        worker.execute(this::factorial);
      }
      if (dma.isRunning()) {
        worker.execute(this::transfer);
      }
    }
  }

  /** No work is begun any more, and none ends. */
  synchronized void close() {
    closed = true;
  }

  // ---- another version --------------------------------------------------------------------------

  synchronized void save(DataOutput out) throws IOException {
    resting = true;
    out.writeInt(liveness);
    out.writeInt(factorial);
    out.writeInt(status);
    out.writeInt(interrupts.status());
    out.writeInt(interrupts.count());
    dma.save(out);
  }

  synchronized void restore(DataInput in) throws IOException {
    resting = true;
    liveness = in.readInt();
    factorial = in.readInt();
    status = in.readInt();
    interrupts.restore(in.readInt(), in.readInt());
    dma.restore(in);
  }
}
