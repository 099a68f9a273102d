// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.hostfile;

import io.faultline.mm.Mman;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What one file and its mappings ought to look like: an array, and copies of pages. */
final class HostFileModel {
  static final int PAGE = Mman.PAGE_SIZE;

  /** What all processes see of the file. */
  byte[] file;

  /** A mapping of one process. */
  static final class Mapping {
    final long address;
    final int firstPage;
    final int pages;
    final boolean shared;
    boolean writable = true;
    /** Private copies by page of the file. */
    final Map<Integer, byte[]> copies = new TreeMap<>();

    Mapping(long address, int firstPage, int pages, boolean shared) {
      this.address = address;
      this.firstPage = firstPage;
      this.pages = pages;
      this.shared = shared;
    }

    Mapping copy() {
      Mapping child = new Mapping(address, firstPage, pages, shared);
      child.writable = writable;
      copies.forEach((page, bytes) -> child.copies.put(page, bytes.clone()));
      return child;
    }
  }

  final List<List<Mapping>> processes = new ArrayList<>();

  HostFileModel(byte[] content) {
    file = content.clone();
    processes.add(new ArrayList<>());
  }

  int pages() {
    return (file.length + PAGE - 1) / PAGE;
  }

  private byte[] page(int index) {
    int from = index * PAGE;
    return Arrays.copyOf(
        Arrays.copyOfRange(file, Math.min(from, file.length), Math.min(from + PAGE, file.length)),
        PAGE);
  }

  /** Whether a byte of a mapping can be reached at all. */
  boolean inFile(Mapping mapping, int offset) {
    return mapping.firstPage + offset / PAGE < pages();
  }

  byte load(Mapping mapping, int offset) {
    int page = mapping.firstPage + offset / PAGE;
    byte[] copy = mapping.copies.get(page);
    return (copy == null ? page(page) : copy)[offset % PAGE];
  }

  /** False where the kernel may forget what is stored: behind the end, in a shared page. */
  boolean store(Mapping mapping, int offset, byte value) {
    int page = mapping.firstPage + offset / PAGE;
    if (mapping.shared) {
      int at = page * PAGE + offset % PAGE;
      if (at >= file.length) {
        return false;
      }
      file[at] = value;
      return true;
    }
    mapping.copies.computeIfAbsent(page, this::page)[offset % PAGE] = value;
    return true;
  }

  void write(int at, byte[] bytes) {
    if (bytes.length == 0) {
      return;
    }
    if (at + bytes.length > file.length) {
      file = Arrays.copyOf(file, at + bytes.length);
    }
    System.arraycopy(bytes, 0, file, at, bytes.length);
  }

  void truncate(int size) {
    file = Arrays.copyOf(file, size);
    for (List<Mapping> mappings : processes) {
      for (Mapping mapping : mappings) {
        mapping.copies.keySet().removeIf(page -> page >= pages());
      }
    }
  }

  void fork(int process) {
    processes.add(new ArrayList<>(processes.get(process).stream().map(Mapping::copy).toList()));
  }
}
