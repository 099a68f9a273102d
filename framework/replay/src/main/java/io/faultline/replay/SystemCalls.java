// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.kernel.FaultResult;
import io.faultline.kernel.Limits;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalException;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.SetLimit;
import io.faultline.replay.recording.SystemCall;
import io.faultline.replay.recording.Touch;
import java.util.HashMap;
import java.util.Map;

/**
 * Makes recorded calls and touches on the kernel and gives their results as the recording writes
 * them: {@code 0x…}, a decimal number, {@code -1 ERRNO}, {@code ok}, {@code SIGNAL (CODE)}.
 */
public final class SystemCalls {
  /** A System V segment of the recorded machine: identifiers are used again, inodes are not. */
  private record Segment(int id, long inode) {}

  private final KernelServices kernel;
  private final VmaService memory;
  private final RecordedObjects objects;
  private final Map<Segment, Integer> segments = new HashMap<>();
  private final Map<Integer, Integer> latestSegment = new HashMap<>();

  /**
   * @param kernel what the calls are made on
   * @param objects names what the calls create
   */
  public SystemCalls(KernelServices kernel, RecordedObjects objects) {
    this.kernel = kernel;
    this.memory = kernel.memory();
    this.objects = objects;
  }

  /**
   * Makes a call.
   *
   * @throws UnsupportedOperationException when there is no such call here
   */
  public String run(Task task, SystemCall call) {
    try {
      return dispatch(task, call);
    } catch (ErrnoException e) {
      return "-1 " + e.errno().name();
    }
  }

  /** Reads or writes one byte. */
  public String touch(Task task, Touch touch) {
    FaultResult result = kernel.faults().handle(task, touch.address(), touch.access());
    Siginfo signal = result.signal();
    return signal == null ? "ok" : signal.shortText();
  }

  /** Carries out an input. */
  public void setLimit(Task task, SetLimit change) {
    Long soft = change.soft();
    if (soft == null) {
      return;
    }
    Limits limits = task.limits();
    switch (change.resource()) {
      case "RLIMIT_STACK" -> task.setLimits(limits.withStack(soft));
      case "RLIMIT_AS" -> task.setLimits(limits.withAddressSpace(soft));
      case "RLIMIT_DATA" ->
          task.setLimits(limits.withData(soft).withDataMaximum(change.hard()));
      case "RLIMIT_MEMLOCK" -> task.setLimits(limits.withLockedMemory(soft));
      default -> {
        // Other limits are nothing to memory calls.
      }
    }
  }

  private String dispatch(Task task, SystemCall call) throws ErrnoException {
    switch (call) {
      case SystemCall.Mmap c -> {
        return address(
            memory.mmap(
                task, c.address(), c.length(), c.prot(), c.flags(), c.fd(), c.offset()));
      }
      case SystemCall.Munmap c -> memory.munmap(task, c.address(), c.length());
      case SystemCall.Mprotect c -> memory.mprotect(task, c.address(), c.length(), c.prot());
      case SystemCall.PkeyMprotect c ->
          memory.pkeyMprotect(task, c.address(), c.length(), c.prot(), c.pkey());
      case SystemCall.PkeyAlloc c -> {
        return Integer.toString(memory.pkeyAlloc(task, c.flags(), c.rights()));
      }
      case SystemCall.PkeyFree c -> memory.pkeyFree(task, c.pkey());
      case SystemCall.Brk c -> {
        return address(memory.brk(task, c.address()));
      }
      case SystemCall.Mremap c -> {
        return address(
            memory.mremap(
                task, c.oldAddress(), c.oldLength(), c.newLength(), c.flags(), c.newAddress()));
      }
      case SystemCall.Madvise c -> memory.madvise(task, c.address(), c.length(), c.advice());
      case SystemCall.Msync c -> memory.msync(task, c.address(), c.length(), c.flags());
      case SystemCall.Mlock c -> memory.mlock(task, c.address(), c.length());
      case SystemCall.Mlock2 c -> memory.mlock2(task, c.address(), c.length(), c.flags());
      case SystemCall.Munlock c -> memory.munlock(task, c.address(), c.length());
      case SystemCall.Mlockall c -> memory.mlockall(task, c.flags());
      case SystemCall.Munlockall c -> memory.munlockall(task);
      case SystemCall.Mincore c -> memory.mincore(task, c.address(), c.length(), c.vector());
      case SystemCall.Mseal c -> memory.mseal(task, c.address(), c.length(), c.flags());
      case SystemCall.RemapFilePages c ->
          memory.remapFilePages(
              task, c.address(), c.size(), c.prot(), c.pageOffset(), c.flags());
      case SystemCall.Shmat c -> {
        return address(memory.shmat(task, segment(task, c.id()), c.address(), c.flags()));
      }
      case SystemCall.Shmdt c -> memory.shmdt(task, c.address());
      case SystemCall.IoSetup c -> ioSetup(task, c);
      case SystemCall.IoDestroy c -> memory.ioDestroy(task, c.context());
      case SystemCall.Prctl c -> {
        return Long.toString(memory.prctl(task, c.option(), c.a(), c.b(), c.c(), c.d()));
      }
      case SystemCall.Mbind c -> {
        if (c.mask().isNone()) {
          memory.mbind(task, c.address(), c.length(), c.mode(), 0, c.maxNode(), c.flags());
        } else {
          memory.mbind(
              task, c.address(), c.length(), c.mode(), c.mask().words(c.mode()), c.maxNode(),
              c.flags());
        }
      }
      case SystemCall.SetMempolicy c -> {
        if (c.mask().isNone()) {
          memory.setMempolicy(task, c.mode(), 0, c.maxNode());
        } else {
          memory.setMempolicy(task, c.mode(), c.mask().words(c.mode()), c.maxNode());
        }
      }
      case SystemCall.Unlisted c -> throw new UnsupportedOperationException(c.name());
    }
    return "0";
  }

  /** The context goes to where the program wants it: that write may fault. */
  private void ioSetup(Task task, SystemCall.IoSetup call) throws ErrnoException {
    UserMemory cpu = task.newCpu();
    long ring = 0;
    try {
      // What is there must be 0; a recording does not tell, since the program may have cleared it.
      long unused = cpu.getLong(call.pointer());
      ring = memory.ioSetup(task, call.events());
      cpu.putLong(call.pointer(), ring);
    } catch (SignalException e) {
      if (ring != 0) {
        memory.ioDestroy(task, ring);
      }
      throw new ErrnoException(Errno.EFAULT, "ctxp: " + e.getMessage());
    }
  }

  /**
   * The kernel's identifier for a recorded one. {@code shmget} is not recorded: the note before the
   * first {@code shmat} tells the size.
   */
  private int segment(Task task, int id) throws ErrnoException {
    Note.NewObject note = objects.foretold();
    if (note == null) {
      return latestSegment.getOrDefault(id, -1);
    }
    Segment segment = new Segment(id, note.name().number());
    Integer known = segments.get(segment);
    if (known == null) {
      known = memory.shmget(task, note.length());
      segments.put(segment, known);
      latestSegment.put(id, known);
    }
    return known;
  }

  /** Marks for removal what the recorded machine had: the replay is over. */
  public void removeSegments(Task task) {
    for (int segment : segments.values()) {
      try {
        memory.shmRemove(task, segment);
      } catch (ErrnoException gone) {
        // Somebody else has removed it.
      }
    }
    segments.clear();
    latestSegment.clear();
  }

  private static String address(long address) {
    return address == 0 ? "0" : "0x" + Long.toHexString(address);
  }
}
