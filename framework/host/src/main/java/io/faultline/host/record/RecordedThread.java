// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import io.faultline.host.ptrace.Tracee;
import org.jspecify.annotations.Nullable;

/** One thread of the recorded process, as the recorder last saw it. */
final class RecordedThread {
  /** Where a thread is. */
  enum Place {
    /** Has been made, and cannot do anything before its first stop is taken. */
    NEW,
    /** Runs the program's own instructions, and may touch memory. */
    PROGRAM,
    /** Is in a system call, and will stop at its end. */
    CALL,
    /** Stands still. */
    STOPPED,
    /** Has ended, or is about to: it comes back to the program no more. */
    GONE,
    /** Stands still because a signal stopped the process; not ours to wake. */
    SUSPENDED
  }

  final Tracee tracee;
  Place place;
  /** The call that it is in, from its entry to its exit. */
  @Nullable Entered call;
  /** Where it goes when it is let go: into a call, on in its program, or away. */
  Place next = Place.PROGRAM;
  /** A signal to deliver when it is let go. */
  int signal;
  /** Whether it waits for its turn to make a memory call. */
  boolean queued;
  /** Whether it has an address space of its own: it is let go for good. */
  boolean foreign;

  RecordedThread(Tracee tracee, Place place) {
    this.tracee = tracee;
    this.place = place;
  }
}
