// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Siginfo;
import io.faultline.mm.Signal;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** The process table. Thread-safe. */
@ProviderType
public interface Tasks {
  /**
   * Starts a process that looks like a small dynamically linked program: text, data, a heap to come,
   * vvar, vdso and a stack.
   *
   * @param name the command's name
   */
  Task spawn(String name);

  /**
   * Starts a process with a given image.
   *
   * @throws IllegalArgumentException when the image's areas overlap or leave user space
   */
  Task spawn(ProcessImage image);

  /**
   * {@code fork(2)}: a copy with the same files, areas and (copy-on-write) pages. {@code open} is
   * called for every copied area that has operations.
   *
   * @throws ErrnoException ENOMEM when there is no memory for the copy, ESRCH when the parent is gone
   */
  Task fork(Task parent) throws ErrnoException;

  /**
   * {@code exit(2)}: pages are unmapped, then {@code close} is called for every area, ascending, then
   * files are released. A second call does nothing.
   */
  void exit(Task task, int status);

  /**
   * Ends a process by a signal; otherwise as {@link #exit}. With SIGSEGV or SIGBUS it dumps its core
   * first where {@link CoreDumps#setPattern} says so.
   */
  void kill(Task task, Signal signal);

  /** Ends a process by the signal of a refused access; otherwise as for a bare signal. */
  void kill(Task task, Siginfo signal);

  /** The running process of that number. */
  Optional<Task> find(int pid);

  /** A snapshot of the running processes, by number. */
  List<Task> list();
}
