// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.host.linux.HostException;
import io.faultline.mm.ErrnoException;
import io.faultline.replay.FlagsText;
import io.faultline.replay.KernelServices;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.MapsReader;
import io.faultline.replay.recording.RecordingException;
import io.faultline.replay.recording.SystemCall;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One history, step by step on both sides. Confined to the tracer's thread. */
final class Comparison implements AutoCloseable {
  private final HostSide host;
  private final EngineSide engine;
  private final int flagsEvery;
  private final List<Event> history = new ArrayList<>();
  private final List<String> results = new ArrayList<>();
  private Residence residence = Residence.KNOWN;

  /**
   * Takes a fresh child and starts a process of the engine like it.
   *
   * @param flagsEvery after how many steps the flags are compared too
   */
  Comparison(KernelServices kernel, HostSide host, int flagsEvery) throws HostException {
    this.host = host;
    this.flagsEvery = flagsEvery;
    try {
      engine = EngineSide.start(kernel, host.meta(),
          MapsReader.parse(host.maps(), host.vmFlags()), host.descriptors());
    } catch (RecordingException | ErrnoException e) {
      throw new HostException("cannot start the engine's process: " + e);
    }
  }

  HostSide host() {
    return host;
  }

  EngineSide engine() {
    return engine;
  }

  /** The steps so far, and the difference that the last one made. */
  Laboratory.Outcome outcome(@Nullable Difference difference) {
    return new Laboratory.Outcome(List.copyOf(history), List.copyOf(results), difference);
  }

  /** Carries out one step; the answer is null when both sides agree. */
  @Nullable Difference step(Event event) throws HostException {
    history.add(event);
    String expected = host.apply(event);
    results.add(expected);
    String got = engine.apply(event, host.made());
    if (!expected.equals(got)) {
      return new Difference(Difference.Kind.RESULT, event, expected, got);
    }
    if (event instanceof SystemCall.Mincore call && expected.equals("0")) {
      Difference vectors = compareVectors(call);
      if (vectors != null) {
        return vectors;
      }
    }
    if (residence.changedBy(event, expected)) {
      residence = Residence.UNKNOWN;
    }
    String maps = engine.maps();
    if (!host.maps().equals(maps)) {
      return new Difference(Difference.Kind.MAPS, event, host.maps(), maps);
    }
    return history.size() % flagsEvery == 0 ? compareFlags() : null;
  }

  private @Nullable Difference compareVectors(SystemCall.Mincore call) {
    byte[] linux = host.vector(call);
    byte[] ours = linux == null ? null : engine.vector(call);
    if (linux == null || ours == null) {
      return null;
    }
    String expected = residence.told(call.address(), linux, host.maps());
    String got = residence.told(call.address(), ours, host.maps());
    return expected.equals(got) ? null
        : new Difference(Difference.Kind.VECTOR, call, expected, got);
  }

  /** Compares the flags of all areas. */
  @Nullable Difference compareFlags() throws HostException {
    String expected = host.vmFlags();
    String got = engine.vmFlags();
    return history.isEmpty() || FlagsText.same(expected, got)
        ? null
        : new Difference(Difference.Kind.FLAGS, history.getLast(), expected, got);
  }

  @Override
  public void close() throws HostException {
    try {
      engine.close();
    } finally {
      host.close();
    }
  }
}
