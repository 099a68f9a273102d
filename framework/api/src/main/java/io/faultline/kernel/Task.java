// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.OpenFile;
import io.faultline.mm.Signal;
import java.util.Set;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** A process ({@code struct task_struct}). Thread-safe. */
@ProviderType
public interface Task {
  /** Its number, positive, never used again. */
  int pid();

  /** The number of its parent; 0 for one that was spawned by the kernel. */
  int parentPid();

  /** The command's name. */
  String name();

  /** Whether it still runs; a task that exited has no memory and no files. */
  boolean alive();

  /** How it ended ({@code "exited 0"}, {@code "killed by SIGSEGV"}), or null while it runs. */
  @Nullable String end();

  /** The facts of its machine. */
  KernelProfile profile();

  /** Its resource limits. */
  Limits limits();

  /** Replaces its resource limits ({@code prlimit(2)}). */
  void setLimits(Limits limits);

  /** How likely it is chosen when memory runs out ({@code /proc/PID/oom_score_adj}), -1000 to 1000. */
  int oomScoreAdj();

  /**
   * Sets {@link #oomScoreAdj}. Children inherit it.
   *
   * @param adjustment -1000, never to be chosen, to 1000, to be chosen first; in thousandths of all
   *     memory
   * @throws IllegalArgumentException for other values
   */
  void setOomScoreAdj(int adjustment);

  /** Who it is. */
  Credentials credentials();

  /** The open file of a descriptor, or null. */
  @Nullable OpenFile file(int fd);

  /** A snapshot of all descriptors. */
  SortedMap<Integer, OpenFile> files();

  /** The signals that it handles itself; none at the beginning. A child has its parent's. */
  Set<Signal> handledSignals();

  /**
   * Sets which signals it handles itself ({@code sigaction(2)}): what reads or writes its memory then
   * catches the {@link io.faultline.mm.SignalException}. It matters where a refused access would end
   * the process, {@link CoreDumps#setPattern}.
   *
   * @throws IllegalArgumentException for SIGKILL, which nobody can handle
   */
  void setHandledSignals(Set<Signal> signals);

  /**
   * Tells a listener why each call and fault on its memory ends as it does. One listener at a time;
   * the child of a fork has none.
   *
   * @param listener who hears it; null to stop
   */
  void explainTo(@Nullable DecisionListener listener);

  /**
   * A new view of its memory with a software TLB of its own, as one more processor that runs the
   * task: confine each view to one thread, and keep it for many accesses.
   */
  UserMemory newCpu();
}
