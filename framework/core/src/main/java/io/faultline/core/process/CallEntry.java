// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.device.AbandonedCallError;
import io.faultline.core.device.Tracer;
import io.faultline.core.fault.Populate;
import io.faultline.core.jfr.CallEvent;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PopulateRange;
import io.faultline.kernel.Task;
import io.faultline.kernel.TraceEvent;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * The frame round every system call: the lock, the trace, the event, and faulting in what the call asks
 * for. Thread-safe.
 */
final class CallEntry {
  /** An operation on a locked address space. */
  @FunctionalInterface
  interface Call<T> {
    T run(AddressSpace space) throws ErrnoException;
  }

  /** The body of a call. */
  @FunctionalInterface
  interface Body {
    long run() throws ErrnoException;
  }

  /** The body of a call that only succeeds or fails, on a locked address space. */
  @FunctionalInterface
  interface Step {
    void run(AddressSpace space) throws ErrnoException;
  }

  private final Populate populate;
  private final Tracer tracer;

  CallEntry(Populate populate, Tracer tracer) {
    this.populate = populate;
    this.tracer = tracer;
  }

  static AddressSpace space(Task task) throws ErrnoException {
    return TaskTable.of(task).space();
  }

  static <T> T write(Task task, Call<T> call) throws ErrnoException {
    AddressSpace space = space(task);
    space.lockForWriting();
    try {
      return call.run(space);
    } finally {
      space.unlockForWriting();
    }
  }

  static <T> T read(Task task, Call<T> call) throws ErrnoException {
    AddressSpace space = space(task);
    space.lockForReading();
    try {
      return call.run(space);
    } catch (AbandonedCallError tooLate) {
      throw new ErrnoException(Errno.ETIMEDOUT, String.valueOf(tooLate.getMessage()));
    } finally {
      space.unlockForReading();
    }
  }

  /** {@code mm_populate}: what cannot be had now is asked for at its first touch. */
  void populateQuietly(Task task, PopulateRange range) throws ErrnoException {
    if (range.length() != 0) {
      populate.populate(space(task), range.start(), range.length(), true);
    }
  }

  void traced(Task task, CallRule rule, Step step, long... arguments)
      throws ErrnoException {
    traced(
        task, rule,
        () -> write(
            task,
            space -> {
              step.run(space);
              return 0L;
            }),
        arguments);
  }

  long traced(Task task, CallRule rule, Body body, long... arguments)
      throws ErrnoException {
    CallEvent event = rule.startEvent();
    long result;
    try {
      result = body.run();
    } catch (ErrnoException refused) {
      if (event != null) {
        event.finish(task.pid(), arguments, 0, refused.toString());
      }
      if (task instanceof TaskObject object) {
        object.space().decisions().refused(rule, refused);
      }
      if (tracer.enabled()) {
        trace(task, rule, arguments, "-1 " + refused.errno(), refused.getMessage());
      }
      throw refused;
    }
    if (event != null) {
      event.finish(task.pid(), arguments, result, null);
    }
    if (tracer.enabled()) {
      trace(task, rule, arguments, CallText.result(result), null);
    }
    return result;
  }

  private void trace(
      Task task, CallRule rule, long[] arguments, String result, @Nullable String detail) {
    tracer.emit(
        TraceEvent.Kind.CALL, task.pid(), null, 0, 0,
        CallText.call(rule.call(), arguments) + " = " + result
            + (detail == null ? "" : ": " + detail));
  }
}
