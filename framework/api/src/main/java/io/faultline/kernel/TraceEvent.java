// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import org.jspecify.annotations.Nullable;

/**
 * Something that the kernel did.
 *
 * @param nanos {@link System#nanoTime()}
 * @param pid the process
 * @param kind what happened
 * @param device the device's path where a driver takes part, else null
 * @param start first address in bytes
 * @param end first address behind the range; {@code start} for a single address
 * @param text for a person to read, without the fields above
 */
public record TraceEvent(
    long nanos, int pid, Kind kind, @Nullable String device, long start, long end, String text) {
  /** What happened. */
  public enum Kind {
    SPAWN,
    FORK,
    EXIT,
    /** A system call; the text is its name, arguments and result. */
    CALL,
    /** The driver's {@code mmap}. */
    MMAP,
    /** The driver's {@code open} of an area. */
    OPEN,
    /** The driver's {@code close} of an area. */
    CLOSE,
    NOPAGE,
    POPULATE,
    /** An access to a device's registers; start is its offset in the region. */
    IO,
    FAULT,
    SIGNAL,
    DRIVER
  }
}
