// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * All address spaces by process number, those of processes that are just being made included: the way
 * back from a {@link io.faultline.core.memory.Place} to page tables. Thread-safe.
 */
public final class AddressSpaces {
  private final ConcurrentMap<Integer, AddressSpace> spaces = new ConcurrentHashMap<>();

  AddressSpaces() {}

  void add(AddressSpace space) {
    spaces.put(space.pid(), space);
  }

  void remove(AddressSpace space) {
    spaces.remove(space.pid(), space);
  }

  /** The space of a process; null when it is gone. */
  public @Nullable AddressSpace find(int pid) {
    return spaces.get(pid);
  }
}
