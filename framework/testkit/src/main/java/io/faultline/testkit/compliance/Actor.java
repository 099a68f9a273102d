// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmFlag;
import io.faultline.mm.Vma;
import io.faultline.testkit.Program;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A process that has the device open, and what each of its pages stands for, by place. */
final class Actor {
  /** One page of a process. */
  static final class Cell {
    final Object source;
    final int page;
    final boolean shared;
    boolean writable;
    /** What a private copy holds; null as long as there is none. */
    @Nullable Long own;

    Cell(Object source, int page, boolean shared, boolean writable, @Nullable Long own) {
      this.source = source;
      this.page = page;
      this.shared = shared;
      this.writable = writable;
      this.own = own;
    }

    Cell copy(int at, boolean fresh) {
      return new Cell(source, at, shared, writable, fresh ? null : own);
    }

    /** Whether it shows the device, not the kernel's own memory. */
    boolean isOfDevice() {
      return source == Contents.DEVICE;
    }
  }

  final Program program;
  final int fd;
  final Map<Integer, Cell> cells = new TreeMap<>();

  Actor(Program program, int fd) {
    this.program = program;
    this.fd = fd;
  }

  /** {@code fork(2)}: the child has what the parent has. */
  Actor fork() throws ErrnoException {
    Actor child = new Actor(program.fork(), fd);
    cells.forEach((at, cell) -> child.cells.put(at, cell.copy(cell.page, false)));
    return child;
  }

  boolean mapsDevice() {
    return cells.values().stream().anyMatch(Cell::isOfDevice);
  }

  /** What {@code mremap(2)} did: the pages are elsewhere, and fewer or more. */
  void moved(int at, int count, int to, int newCount) {
    Map<Integer, Cell> moved = new TreeMap<>();
    Cell last = null;
    for (int i = 0; i < count; i++) {
      Cell cell = cells.remove(at + i);
      if (cell != null && i < newCount) {
        moved.put(to + i, cell);
        last = cell;
      }
    }
    for (int i = count; i < newCount && last != null; i++) {
      moved.put(to + i, last.copy(last.page + i - count + 1, true));
    }
    cells.putAll(moved);
  }

  /** Takes from the kernel which places are mapped, and which of them can be written. */
  void follow(PageNumbers numbers) {
    List<Vma> areas = program.areas();
    cells.entrySet().removeIf(entry -> {
      long address = Places.address(entry.getKey());
      for (Vma area : areas) {
        if (area.start() <= address && address < area.end()) {
          entry.getValue().writable = area.has(VmFlag.WRITE);
          return !numbers.stands(entry.getValue(), area, address);
        }
      }
      return true;
    });
  }
}
