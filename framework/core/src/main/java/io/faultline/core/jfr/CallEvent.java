// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.jfr;

import jdk.jfr.Event;
import org.jspecify.annotations.Nullable;

/** A system call on an address space. It has no fields: the recorder sees those of subclasses alone. */
public abstract class CallEvent extends Event {
  /** For events of this room alone. */
  CallEvent() {}

  /**
   * Ends it.
   *
   * @param process who calls
   * @param arguments the call's words, in its order
   * @param answer what it returns; 0 when it was refused
   * @param refused why it was refused; null when it was not
   */
  public final void finish(int process, long[] arguments, long answer, @Nullable String refused) {
    end();
    if (shouldCommit()) {
      fill(process, arguments, answer, refused);
      commit();
    }
  }

  /** Sets the fields. */
  abstract void fill(int process, long[] arguments, long answer, @Nullable String refused);
}
