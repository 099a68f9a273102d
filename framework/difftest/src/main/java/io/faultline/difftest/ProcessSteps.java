// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static io.faultline.mm.Mman.*;

import io.faultline.host.ptrace.BareProgram;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.SetLimit;
import io.faultline.replay.recording.SystemCall;
import org.jspecify.annotations.Nullable;

/** Steps that lock memory, look at it, limit the process, or make another. */
final class ProcessSteps {
  private static final String[] LIMITS = {
    "RLIMIT_STACK", "RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_MEMLOCK"};

  private final Aim aim;
  private final boolean limits;
  private final boolean lowersData;
  private final boolean follows;
  private boolean lockedFuture;
  private int children = 1000;
  private int alive;
  /** A hard limit can only be lowered, for all the rest of the history. */
  private long dataMaximum = -1;

  /**
   * @param limits whether the process's limits may be changed
   * @param lowersData whether that for its data may be 0
   * @param follows whether the history may go on as a child
   */
  ProcessSteps(Aim aim, boolean limits, boolean lowersData, boolean follows) {
    this.aim = aim;
    this.limits = limits;
    this.lowersData = lowersData;
    this.follows = follows;
  }

  Event lock() {
    long at = aim.any();
    long size = aim.length();
    return switch (aim.nextInt(5)) {
      case 0, 1 -> new SystemCall.Mlock(0, at, size, null);
      case 2 -> new SystemCall.Mlock2(
          0, at, size, aim.level() >= 3 && aim.chance(5) ? 2 : aim.nextInt(2), null);
      default -> new SystemCall.Munlock(0, at, size, null);
    };
  }

  Event lockAll() {
    // All future mappings locked is a state that hides others: not for long.
    if (lockedFuture || aim.chance(40)) {
      lockedFuture = false;
      return new SystemCall.Munlockall(0, null);
    }
    int flags = aim.nextInt(aim.chance(5) ? 16 : 8);
    lockedFuture = (flags & MCL_FUTURE) != 0;
    return new SystemCall.Mlockall(0, flags, null);
  }

  Event mincore() {
    long vector = aim.chance(70) ? BareProgram.DATA : aim.any() & -4096;
    if (vector >= BareProgram.TEXT - 4096 && vector < BareProgram.TEXT + 4096) {
      vector = BareProgram.DATA;
    }
    if (aim.areas().kindAt(vector) == AreaView.RING) {
      vector = BareProgram.DATA;
    }
    if (aim.chance(40) || aim.areas().count() == 0) {
      return new SystemCall.Mincore(0, aim.any(), Math.min(aim.length(), 1L << 20), vector, null);
    }
    // A whole area, or its first pages, told to some other one.
    int i = aim.nextInt(aim.areas().count());
    int to = aim.nextInt(aim.areas().count());
    if (aim.chance(70) && aim.areas().kind(to) != AreaView.RING) {
      vector = aim.areas().start(to);
    }
    return new SystemCall.Mincore(
        0, aim.areas().start(i), Math.min(aim.areas().end(i) - aim.areas().start(i), 1L << 20),
        vector, null);
  }

  @Nullable Event limit() {
    if (!limits) {
      return null;
    }
    String resource = LIMITS[aim.nextInt(LIMITS.length)];
    long now = aim.areas().bytes();
    Long soft = aim.chance(60) ? Long.valueOf(-1)
        : Long.valueOf(switch (resource) {
          case "RLIMIT_STACK" -> 4096L * aim.nextInt(4096);
          case "RLIMIT_AS" -> now + 4096L * aim.nextInt(400);
          default -> 4096L * aim.nextInt(1000);
        });
    // A stack without a limit grows by half a gigabyte at a touch, and then may be locked.
    if (soft == -1 && (resource.equals("RLIMIT_MEMLOCK") || resource.equals("RLIMIT_STACK"))) {
      soft = 8L << 20;
    }
    if (!resource.equals("RLIMIT_DATA")) {
      return new SetLimit(0, resource, soft, -1);
    }
    if (lowersData && aim.chance(30)) {
      // "Workaround for Valgrind": while the soft limit is 0 the hard one counts.
      soft = 0L;
      long lower = now + 4096L * aim.nextInt(4000);
      dataMaximum = Long.compareUnsigned(lower, dataMaximum) < 0 ? lower : dataMaximum;
    }
    return new SetLimit(0, resource,
        Long.compareUnsigned(soft, dataMaximum) < 0 ? soft : Long.valueOf(dataMaximum),
        dataMaximum);
  }

  @Nullable Event fork() {
    if (alive > 5) {
      alive = 0;
      return new Note.OthersExit(0);
    }
    int pid = ++children;
    if (follows && aim.chance(40)) {
      alive++;
      return new Note.Follow(0, pid);
    }
    boolean exits = aim.chance(50);
    if (!exits) {
      alive++;
    }
    return new Note.Child(0, pid, exits);
  }
}
