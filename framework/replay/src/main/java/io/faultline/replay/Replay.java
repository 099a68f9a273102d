// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.kernel.ProcessImage;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.mm.ErrnoException;
import io.faultline.replay.Divergence.Kind;
import io.faultline.replay.file.RecordedFiles;
import io.faultline.replay.recording.Checkpoint;
import io.faultline.replay.recording.Digest;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.OpaqueCall;
import io.faultline.replay.recording.Recording;
import io.faultline.replay.recording.ScoredEvent;
import io.faultline.replay.recording.SetLimit;
import io.faultline.replay.recording.SystemCall;
import io.faultline.replay.recording.Touch;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One replay of one recording. Used once, by one thread. */
final class Replay {
  private final KernelServices kernel;
  private final Recording recording;
  private final ReplayOptions options;
  private final ReplayListener listener;
  private final RecordedObjects objects = new RecordedObjects();
  private final RecordedFiles files;
  private final SystemCalls calls;
  private final Scores scores;
  private final DecisionLog decisions = new DecisionLog();

  /** Processes that the recording left behind. */
  private final List<Task> others = new ArrayList<>();

  /** The process that is recorded now; null before it starts. */
  private @Nullable Task current;

  /** The maps text as it was last looked at. */
  private String lastMaps = "";

  Replay(
      KernelServices kernel, Recording recording, ReplayOptions options, ReplayListener listener) {
    this.kernel = kernel;
    this.recording = recording;
    this.options = options;
    this.listener = listener;
    this.files = new RecordedFiles(kernel.files(), kernel.pages(), recording.events());
    this.calls = new SystemCalls(kernel, objects);
    this.scores = new Scores(recording, options);
  }

  ReplayResult run() {
    long begin = System.nanoTime();
    try {
      ProcessImage image = RecordedImage.of(recording, files, objects);
      become(kernel.tasks().spawn(image));
      for (Event event : recording.events()) {
        if (event.line() > options.to() || (options.stopAtFirst() && scores.any())) {
          break;
        }
        step(event);
      }
    } catch (RuntimeException | StackOverflowError | AssertionError e) {
      failed(1, "the start of the process", e);
    } finally {
      end();
    }
    Task left = options.keep() ? current : null;
    return scores.result(System.nanoTime() - begin, left);
  }

  /** The recorded process is this one from now on; it says why it does what it does. */
  private void become(Task task) {
    Task before = current;
    if (before != null) {
      before.explainTo(null);
    }
    task.explainTo(decisions);
    current = task;
  }

  private void step(Event event) {
    decisions.begin(event.line());
    int before = scores.scoredSoFar();
    try {
      apply(event);
    } catch (ErrnoException | RuntimeException | StackOverflowError | AssertionError e) {
      failed(event.line(), text(event), e);
    }
    Digest expected = recording.digests().after(event.line());
    if (expected != null) {
      compareDigest(event, expected, before);
    }
  }

  private void apply(Event event) throws ErrnoException {
    Task task = task();
    switch (event) {
      case SystemCall call -> {
        compare(call, Kind.CALL, attempt(() -> calls.run(task, call)));
        objects.forget();
      }
      case Touch touch -> compare(touch, Kind.TOUCH, attempt(() -> calls.touch(task, touch)));
      case SetLimit limit -> calls.setLimit(task, limit);
      case OpaqueCall call -> {
        // The recorded space is as before; what a fork left is told by the note behind it.
      }
      case Note.FileDescriptor note -> files.install(task, note);
      case Note.NewObject note -> objects.foretell(note);
      case Note.Renamed note -> files.rename(note.name());
      case Note.CheckpointReached note -> checkpoint(task, note);
      case Note.Child note -> {
        Task child = kernel.tasks().fork(task);
        if (note.exits()) {
          kernel.tasks().exit(child, 0);
        } else {
          others.add(child);
        }
      }
      case Note.Follow note -> {
        Task child = kernel.tasks().fork(task);
        others.add(task);
        become(child);
      }
      case Note.OthersExit note -> {
        others.forEach(other -> kernel.tasks().exit(other, 0));
        others.clear();
      }
    }
  }

  /** A result, or the exception that stands in its place. */
  private record Outcome(String value, @Nullable Throwable failure) {}

  private interface Attempt {
    String run();
  }

  private static Outcome attempt(Attempt attempt) {
    try {
      return new Outcome(attempt.run(), null);
    } catch (RuntimeException | StackOverflowError | AssertionError e) {
      return new Outcome(describe(e), e);
    }
  }

  private static String describe(Throwable failure) {
    return ("failed: " + failure).replace('\n', ' ');
  }

  private void compare(ScoredEvent event, Kind kind, Outcome outcome) {
    String expected = event.expected();
    if (expected == null) {
      return;
    }
    int before = scores.scoredSoFar();
    listener.result(event.line(), outcome.value());
    if (!options.compares(event.line())) {
      return;
    }
    scores.scored();
    if (outcome.failure() == null && expected.equals(outcome.value())) {
      scores.exact(kind);
      return;
    }
    diverges(
        new Divergence(
            event.line(), text(event), kind, expected, outcome.value(), null, outcome.failure(),
            decisions.of(event.line())),
        before);
  }

  private void compareDigest(Event event, Digest expected, int before) {
    String previous = lastMaps;
    String maps;
    try {
      maps = kernel.proc().maps(task());
    } catch (RuntimeException | StackOverflowError | AssertionError e) {
      failed(event.line(), text(event), e);
      return;
    }
    lastMaps = maps;
    Digest digest = Digest.of(maps);
    listener.digest(event.line(), digest);
    if (!options.compares(event.line())) {
      return;
    }
    if (digest.equals(expected)) {
      scores.exact(Kind.DIGEST);
      return;
    }
    MapsDiff diff = scores.wantsDetail() ? MapsDiff.byDigest(expected, previous, maps) : null;
    diverges(
        new Divergence(
            event.line(),
            text(event),
            Kind.DIGEST,
            expected.toString(),
            digest.toString(),
            diff,
            null,
            decisions.of(event.line())),
        before);
  }

  private void checkpoint(Task task, Note.CheckpointReached note) {
    Checkpoint expected = Objects.requireNonNull(recording.checkpoints().get(note.name()));
    String maps = kernel.proc().maps(task);
    String flags = kernel.proc().vmFlags(task);
    lastMaps = maps;
    listener.checkpoint(note.name(), maps, flags);
    if (!options.compares(note.line())) {
      return;
    }
    compareTexts(note, Kind.MAPS, expected.maps(), maps, expected.maps().equals(maps));
    compareTexts(
        note, Kind.FLAGS, expected.flags(), flags, FlagsText.same(expected.flags(), flags));
  }

  private void compareTexts(
      Note.CheckpointReached note, Kind kind, String expected, String got, boolean same) {
    if (same) {
      scores.exact(kind);
      return;
    }
    boolean detail = scores.wantsDetail();
    MapsDiff diff = MapsDiff.of(expected, got);
    diverges(
        new Divergence(
            note.line(),
            text(note),
            kind,
            "checkpoint " + note.name(),
            "another text",
            detail ? diff : null,
            null,
            decidedBefore(note, diff)),
        scores.scoredSoFar());
  }

  /** The last decisions about the first area that differs. */
  private Reasons decidedBefore(Note.CheckpointReached note, MapsDiff diff) {
    MapsDiff.Range first = diff.firstDifference();
    return first == null
        ? decisions.of(note.line())
        : decisions.about(first.start(), first.end());
  }

  private void failed(int line, String event, Throwable failure) {
    diverges(
        new Divergence(
            line, event, Kind.REPLAY, "to carry it out", describe(failure), null, failure,
            decisions.of(line)),
        scores.scoredSoFar());
  }

  private void diverges(Divergence divergence, int before) {
    scores.diverges(divergence, before);
    Task task = current;
    if (task != null && !scores.keepsMore()) {
      // Nobody will look at the reasons any more.
      task.explainTo(null);
    }
  }

  /** Ends every process of this replay but the one to keep. */
  private void end() {
    Tasks tasks = kernel.tasks();
    try {
      others.forEach(other -> tasks.exit(other, 0));
      Task last = current;
      if (last != null) {
        calls.removeSegments(last);
      }
      if (last != null) {
        last.explainTo(null);
      }
      if (last != null && !options.keep()) {
        tasks.exit(last, 0);
        current = null;
      }
    } catch (RuntimeException | StackOverflowError | AssertionError e) {
      int end = recording.events().size();
      failed(end, "the end of the process", e);
    } finally {
      files.close();
    }
  }

  private Task task() {
    return Objects.requireNonNull(current, "the process has not started");
  }

  private String text(Event event) {
    if (!scores.keepsMore()) {
      return "";
    }
    String line = recording.lineText(event.line());
    return line == null ? event.toString() : line;
  }
}
