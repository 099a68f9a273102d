// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.device.DriverLog;
import io.faultline.core.fault.OutOfMemory;
import io.faultline.core.jfr.OomKillEvent;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.reclaim.Reclaimer;
import io.faultline.core.swap.SwapSpace;
import io.faultline.kernel.Task;
import io.faultline.mm.Mman;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Kills one process when memory has run out ({@code mm/oom_kill.c}): the one with the highest badness,
 * which is what it would give back (resident pages, pages in swap, page tables), plus its {@code
 * oom_score_adj} in thousandths of all memory. Thread-safe; one at a time.
 */
public final class OomKiller implements OutOfMemory {
  /** An {@code oom_score_adj} of a process that is never chosen. */
  public static final int NEVER = -1000;

  /** Reclaim that finds nothing because others are at it is tried again ({@code MAX_RECLAIM_RETRIES}). */
  private static final int RETRIES = 16;
  /** Those who keep pages from going are waited for so often: about four seconds. */
  private static final int BUSY_RETRIES = 500;
  /** Who fails so often though there are frames will fail for ever. */
  private static final int MANY_ATTEMPTS = 64;
  private static final long LONGEST_PAUSE_MILLIS = 8;
  private static final int KIB_PER_PAGE = Mman.PAGE_SIZE / 1024;

  /** How who has no memory waits for others to free some. */
  @FunctionalInterface
  public interface Pause {
    /** Sleeps. */
    Pause SLEEP = OomKiller::sleep;
    /** None, for tests in which there are no others. */
    Pause NONE = millis -> !Thread.currentThread().isInterrupted();

    /**
     * Waits.
     *
     * @param millis for how long, in ms; 0 for no wait
     * @return false when the thread is interrupted
     */
    boolean await(long millis);
  }

  private final PhysicalMemory memory;
  private final SwapSpace swap;
  private final Reclaimer reclaimer;
  private final TaskTable tasks;
  private final DriverLog log;
  private final Pause pause;
  private final ReentrantLock one = new ReentrantLock();

  public OomKiller(
      PhysicalMemory memory, SwapSpace swap, Reclaimer reclaimer, TaskTable tasks,
      DriverLog log, Pause pause) {
    this.memory = memory;
    this.swap = swap;
    this.reclaimer = reclaimer;
    this.tasks = tasks;
    this.log = log;
    this.pause = pause;
  }

  @Override
  public @Nullable Siginfo makeRoom(AddressSpace space, long address, int attempts) {
    int fruitless = 0;
    for (int i = 0; fruitless < RETRIES && attempts < MANY_ATTEMPTS; i++) {
      // Others may be taking what is freed as fast as it is.
      boolean waited = pause.await(Math.min(LONGEST_PAUSE_MILLIS, i + attempts / 4));
      if (memory.free() > reclaimer.watermarks().min()) {
        return null;
      }
      Reclaimer.Outcome outcome = reclaimer.tryReclaim(1);
      if (outcome == Reclaimer.Outcome.FREED) {
        return null;
      }
      if (!waited) {
        return refused(address, "memory is used up, and the wait for some was interrupted");
      }
      if (outcome == Reclaimer.Outcome.NOTHING || i >= BUSY_RETRIES) {
        fruitless++;
      }
    }
    String refusal = swap.devices().refusal();
    if (refusal != null) {
      return refused(
          address, "memory is used up, and its pages could not go to swap: " + refusal);
    }
    one.lock();
    try {
      if (memory.free() > reclaimer.watermarks().min()) {
        // Another has made room. But who has tried so often is not helped by that: a driver that says
        // it is out of memory whatever there is, or who wants more frames at once than there are.
        return attempts < MANY_ATTEMPTS
            ? null
            : refused(address, "no page could be had in " + attempts + " attempts");
      }
      return kill(space, address);
    } finally {
      one.unlock();
    }
  }

  private static boolean sleep(long millis) {
    if (millis == 0) {
      return !Thread.currentThread().isInterrupted();
    }
    try {
      // Nobody tells when a frame is freed; a few milliseconds, and only where there is none.
      Thread.sleep(millis);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static Siginfo refused(long address, String cause) {
    return new Siginfo(SignalCode.BUS_ADRERR, address, cause);
  }

  private @Nullable Siginfo kill(AddressSpace caller, long address) {
    TaskObject victim = null;
    long worst = 0;
    for (Task task : tasks.list()) {
      if (task instanceof TaskObject candidate) {
        long points = badness(candidate);
        if (points > worst) {
          worst = points;
          victim = candidate;
        }
      }
    }
    if (victim == null) {
      return refused(
          address, "memory is used up, and there is no process that could be killed");
    }
    Footprint footprint = Footprint.of(victim.space());
    report(caller, victim, footprint);
    memory.events().count(VmEvent.OOM_KILL);
    OomKillEvent.emit(
        victim.pid(), victim.name(), worst, footprint.resident(), footprint.swapped());
    tasks.killForMemory(victim);
    return victim.pid() == caller.pid()
        ? new Siginfo(SignalCode.OOM_KILLED, address, "memory had run out")
        : null;
  }

  /** What a process is to blame for, in pages; 0 or less for one that is not to be chosen. */
  long badness(TaskObject task) {
    if (task.oomScoreAdj() == NEVER || !task.alive()) {
      return 0;
    }
    Footprint footprint = Footprint.of(task.space());
    long pages = footprint.resident() + footprint.swapped() + task.space().tables().tableCount();
    long total = memory.frames() + swap.devices().totalSlots();
    return Math.max(1, pages + task.oomScoreAdj() * total / 1000);
  }

  private void report(AddressSpace caller, TaskObject victim, Footprint footprint) {
    Optional<Task> invoker = tasks.find(caller.pid());
    log.problem(
        invoker.map(Task::name).orElse("process " + caller.pid())
            + " invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0,"
            + " oom_score_adj=" + invoker.map(Task::oomScoreAdj).orElse(0),
        null);
    log.problem(
        ("Out of memory: Killed process %d (%s) total-vm:%dkB, anon-rss:%dkB, file-rss:%dkB,"
            + " shmem-rss:%dkB, UID:%d pgtables:%dkB oom_score_adj:%d")
            .formatted(
                victim.pid(), victim.name(), victim.space().account().total() * KIB_PER_PAGE,
                footprint.anonymous() * KIB_PER_PAGE, footprint.file() * KIB_PER_PAGE,
                footprint.shared() * KIB_PER_PAGE, victim.credentials().uid(),
                victim.space().tables().tableCount() * KIB_PER_PAGE, victim.oomScoreAdj()),
        null);
  }
}
