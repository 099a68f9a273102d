// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static io.faultline.mm.Mman.*;

import io.faultline.host.ptrace.BareProgram;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.NodeMask;
import io.faultline.replay.recording.SystemCall;
import org.jspecify.annotations.Nullable;

/** Steps with System V memory, AIO rings and memory policies. */
final class ObjectSteps {
  /** As many as there is room for their places in a page. */
  private static final int CONTEXTS = 380;

  private final Aim aim;
  private int contexts;

  ObjectSteps(Aim aim) {
    this.aim = aim;
  }

  /** System V memory. */
  @Nullable Event segment() {
    if (aim.chance(35)) {
      int i = aim.chance(70) ? aim.random(AreaView.SEGMENT) : -1;
      long at =
          i < 0 ? aim.any() : aim.areas().start(i) - (aim.chance(20) ? 4096L * aim.nextInt(6) : 0);
      return new SystemCall.Shmdt(0, at, null);
    }
    int flags = aim.one(15, SHM_RDONLY) | aim.one(25, SHM_RND) | aim.one(40, SHM_REMAP)
        | aim.one(10, SHM_EXEC);
    if (aim.chance(1)) {
      flags |= 0x10000;
    }
    long at = aim.chance(40) ? 0 : aim.any();
    if (aim.chance(15)) {
      at += aim.nextInt(4096);
    }
    int id = aim.chance(2) ? HostSegments.COUNT : aim.nextInt(HostSegments.COUNT);
    // The longest one: what it replaces must not be the program's text.
    return Aim.safe(at, 3L << 20) ? new SystemCall.Shmat(0, id, at, flags, null) : null;
  }

  /** AIO rings. */
  @Nullable Event ring() {
    if (aim.chance(40)) {
      int i = aim.chance(85) ? aim.random(AreaView.RING) : -1;
      long at = i < 0 ? aim.any() : aim.areas().start(i);
      return at >= BareProgram.TEXT && at < BareProgram.TEXT + 4096 ? null
          : new SystemCall.IoDestroy(0, at, null);
    }
    if (contexts == CONTEXTS) {
      return null;
    }
    // A place for each: there must be 0 in it. No vector of mincore comes that far up in a page.
    long pointer =
        (aim.chance(80) ? BareProgram.DATA : aim.any() & -4096) + 0x400 + 8L * contexts++;
    // What files and the kernel's own areas hold is not known to the engine.
    char kind = aim.areas().kindAt(pointer);
    if (pointer >= BareProgram.TEXT && pointer < BareProgram.TEXT + 4096
        || kind == AreaView.KERNELS_OWN || kind == AreaView.FILE
        || kind == AreaView.MEMORY_FILE) {
      return null;
    }
    int events = aim.chance(85) ? 1 + aim.nextInt(200) : aim.chance(50) ? aim.nextInt(2000)
        : aim.chance(50) ? aim.nextInt(200_000)
        : aim.nextInt();
    return new SystemCall.IoSetup(0, events, pointer, null);
  }

  /** Memory policies. */
  @Nullable Event policy() {
    int mode = aim.nextInt(aim.chance(95) ? 7 : 9);
    if (aim.chance(20)) {
      mode |= aim.one(40, MPOL_F_STATIC_NODES) | aim.one(40, MPOL_F_RELATIVE_NODES)
          | aim.one(20, MPOL_F_NUMA_BALANCING);
    }
    boolean none = mode == MPOL_DEFAULT || mode == MPOL_LOCAL;
    NodeMask mask = none && aim.chance(80) || aim.chance(5) ? NodeMask.NONE
        : NodeMask.of(aim.chance(75) ? 1 : aim.nextInt(4));
    long maxNode =
        mask.isNone() ? 0 : aim.chance(90) ? 64 : aim.nextInt(aim.chance(80) ? 70 : 2000);
    if (mode != MPOL_DEFAULT && aim.chance(4)) {
      maxNode = aim.chance(50) ? 32769 + aim.nextInt(3) : -1;
      mask = NodeMask.NONE;
    }
    if (aim.chance(5)) {
      return new SystemCall.SetMempolicy(0, mode, mask, maxNode, null);
    }
    long at = aim.any();
    long size = aim.length();
    int flags = 0;
    if (mask.equals(NodeMask.of(1)) && maxNode > 1 && aim.chance(10)) {
      // With other masks it matters which pages of files are in memory.
      flags = aim.nextInt(aim.chance(80) ? 8 : 16);
    }
    return Aim.safe(at, size)
        ? new SystemCall.Mbind(0, at, size, mode, mask, maxNode, flags, null)
        : null;
  }
}
