// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import io.faultline.device.IoHandler;

/**
 * The device's registers, a word of four bytes each: what a driver in user space loads and stores in map
 * 3. Where there is none a load gives all ones and a store is lost, as on a bus.
 */
record Registers(Interrupts interrupts) implements IoHandler {
  /** Reads as {@link #IDENTITY_VALUE}. */
  static final int IDENTITY = 0x00;
  /** The count of interrupts, as {@code read(2)} gives it. */
  static final int EVENT = 0x04;
  /** {@link #ENABLED} and {@link #IS_PENDING}. */
  static final int STATUS = 0x08;
  /** A store of any value makes the device raise its interrupt; reads as 0. */
  static final int DOORBELL = 0x0c;

  /** {@code UIO} and a 1, as text. */
  static final int IDENTITY_VALUE = 0x314f_4955;

  static final int ENABLED = 1;
  static final int IS_PENDING = 2;

  @Override
  public long read(long offset, int size) {
    if (size != Integer.BYTES) {
      return -1;
    }
    return switch ((int) offset) {
      case IDENTITY -> IDENTITY_VALUE;
      case EVENT -> interrupts.count();
      case STATUS -> interrupts.status();
      case DOORBELL -> 0;
      default -> -1;
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == DOORBELL && size == Integer.BYTES) {
      interrupts.raise();
    }
  }
}
