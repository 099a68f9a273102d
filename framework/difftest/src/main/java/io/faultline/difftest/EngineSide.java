// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.kernel.ProcessImage;
import io.faultline.kernel.Task;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;
import io.faultline.replay.KernelServices;
import io.faultline.replay.RecordedImage;
import io.faultline.replay.RecordedObjects;
import io.faultline.replay.SystemCalls;
import io.faultline.replay.file.RecordedFiles;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.InitialMapping;
import io.faultline.replay.recording.Meta;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.SetLimit;
import io.faultline.replay.recording.SystemCall;
import io.faultline.replay.recording.Touch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A history on the engine, by the parts that replay recordings. Confined to one thread. */
final class EngineSide implements AutoCloseable {
  private final KernelServices kernel;
  private final RecordedObjects objects = new RecordedObjects();
  private final RecordedFiles files;
  private final SystemCalls calls;
  private final List<Task> others = new ArrayList<>();
  private Task current;

  private EngineSide(
      KernelServices kernel, Meta meta, List<InitialMapping> begin,
      List<Note.FileDescriptor> descriptors) throws ErrnoException {
    this.kernel = kernel;
    this.files = new RecordedFiles(kernel.files(), kernel.pages(), List.copyOf(descriptors));
    this.calls = new SystemCalls(kernel, objects);
    ProcessImage image = RecordedImage.of("difftest", meta, begin, files, objects);
    this.current = kernel.tasks().spawn(image);
    for (Note.FileDescriptor descriptor : descriptors) {
      files.install(current, descriptor);
    }
  }

  /** Starts a process that has what a child has. */
  static EngineSide start(
      KernelServices kernel, Meta meta, List<InitialMapping> begin,
      List<Note.FileDescriptor> descriptors) throws ErrnoException {
    EngineSide side = new EngineSide(kernel, meta, begin, descriptors);
    // The kernel has written the arguments into the stack.
    side.apply(new Touch(0, meta.layout().startStack(), Access.WRITE, "ok"), null);
    return side;
  }

  /** The process that takes the steps. */
  Task task() {
    return current;
  }

  String maps() {
    return kernel.proc().maps(current);
  }

  String vmFlags() {
    return kernel.proc().vmFlags(current);
  }

  /**
   * Carries out a step.
   *
   * @param made the identity of what the step creates
   * @return the answer as recordings write it; what the engine should not have thrown is one too
   */
  String apply(Event event, Note.@Nullable NewObject made) {
    try {
      return switch (event) {
        case SystemCall call -> {
          if (made != null) {
            objects.foretell(made);
          }
          String result = calls.run(current, call);
          objects.forget();
          yield result;
        }
        case Touch touch -> calls.touch(current, touch);
        case SetLimit limit -> {
          calls.setLimit(current, limit);
          yield "0";
        }
        case Note.Child child -> {
          Task forked = kernel.tasks().fork(current);
          if (child.exits()) {
            kernel.tasks().exit(forked, 0);
          } else {
            others.add(forked);
          }
          yield "forked";
        }
        case Note.Follow follow -> {
          Task forked = kernel.tasks().fork(current);
          others.add(current);
          current = forked;
          yield "forked";
        }
        case Note.OthersExit all -> {
          others.forEach(other -> kernel.tasks().exit(other, 0));
          others.clear();
          yield "0";
        }
        default -> throw new IllegalArgumentException("event: " + event + " is no step");
      };
    } catch (ErrnoException e) {
      return "-1 " + e.errno().name();
    } catch (RuntimeException | StackOverflowError | AssertionError e) {
      return "failed: " + e;
    }
  }

  /**
   * What mincore has written.
   *
   * @return null when it cannot be read
   */
  byte @Nullable [] vector(SystemCall.Mincore call) {
    MemorySegment told = MemorySegment.ofArray(new byte[(int) ((call.length() + 4095) >>> 12)]);
    try {
      current.newCpu().read(call.vector(), told);
      return told.toArray(ValueLayout.JAVA_BYTE);
    } catch (SignalException unreadable) {
      return null;
    }
  }

  @Override
  public void close() {
    calls.removeSegments(current);
    others.forEach(other -> kernel.tasks().exit(other, 0));
    kernel.tasks().exit(current, 0);
    files.close();
  }
}
