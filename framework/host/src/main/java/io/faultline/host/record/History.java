// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import java.util.ArrayList;
import java.util.List;

/** The lines of a recording as they grow, and the digests that belong to them. */
final class History {
  private final List<String> lines = new ArrayList<>();
  private final List<String> digests = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private final List<Checkpoint> checkpoints = new ArrayList<>();
  private int calls;
  private int touches;

  /** A whole look at the process, by the name it has in the recording. */
  record Checkpoint(String name, Snapshot state) {}

  List<String> lines() {
    return lines;
  }

  List<String> digests() {
    return digests;
  }

  List<String> warnings() {
    return warnings;
  }

  List<Checkpoint> checkpoints() {
    return checkpoints;
  }

  int calls() {
    return calls;
  }

  int touches() {
    return touches;
  }

  void note(String line) {
    lines.add(line);
  }

  void touch(long address, boolean written) {
    touches++;
    lines.add("touch_%s(0x%x) = ok".formatted(written ? "write" : "read", address));
  }

  /** A call after which the maps are not looked at. */
  void call(String line) {
    calls++;
    lines.add(line);
  }

  /** A call, with the digest of the maps behind it. */
  void call(String line, String digest) {
    call(line);
    digests.add(lines.size() + " " + digest);
  }

  void checkpoint(String name, Snapshot state) {
    lines.add("@checkpoint " + name);
    checkpoints.add(new Checkpoint(name, state));
  }

  void warn(String text) {
    warnings.add("line " + (lines.size() + 1) + ": " + text);
  }
}
