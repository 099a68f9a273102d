// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Vma;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What processes do to their areas. What is mapped where is taken from the kernel after each call. */
final class AreaCalls {
  /** A call that went through. */
  private record Mapped(int offset, int count, boolean shared) {}

  private final Scene scene;
  private final Set<Mapped> mapped = new HashSet<>();

  AreaCalls(Scene scene) {
    this.scene = scene;
  }

  /** Whether it is mapped: a driver may refuse. */
  boolean map(int number, int at, int count, int offset, boolean shared, boolean writable) {
    Actor actor = scene.actor(number);
    if (actor == null || !scene.canMap()) {
      return false;
    }
    boolean rw = writable && !(scene.readOnly && shared);
    int prot = rw ? Mman.PROT_READ | Mman.PROT_WRITE : Mman.PROT_READ;
    int flags = (shared ? Mman.MAP_SHARED : Mman.MAP_PRIVATE) | Mman.MAP_FIXED;
    Watch.Backing unused = scene.watch.takeBacking();
    for (int i = 0; i < count; i++) {
      actor.cells.remove(at + i);
    }
    // What was there is closed before the driver is asked.
    scene.forgetWhatNobodyMaps();
    try {
      long address = actor.program.mmapAt(
          Places.address(at), actor.fd, Places.bytes(count), prot, flags, Places.bytes(offset));
      if (address != Places.address(at)) {
        throw new AssertionError("mmap returned another address");
      }
    } catch (ErrnoException refused) {
      scene.follow();
      return false;
    }
    mapped.add(new Mapped(offset, count, shared));
    Object source = sourceOf(scene.watch.takeBacking());
    for (int i = 0; i < count; i++) {
      actor.cells.put(
          at + i, new Actor.Cell(source, scene.numbers.of(offset, i), shared, rw, null));
    }
    scene.follow();
    return true;
  }

  /** Whether such a mapping was made before. */
  boolean hasGoneThrough(int offset, int count, boolean shared) {
    return mapped.contains(new Mapped(offset, count, shared));
  }

  private Object sourceOf(Watch.@Nullable Backing backing) {
    if (backing == Watch.Backing.ANONYMOUS || backing == Watch.Backing.SHARED_MEMORY) {
      return new Object();
    }
    scene.mapsItsOwn |= backing == Watch.Backing.DEVICE;
    scene.idle.mapped();
    return Contents.DEVICE;
  }

  void mapOddly(int number, Step.MapOddly.Odd how) {
    Actor actor = scene.actor(number);
    if (actor == null || !scene.canMap()) {
      return;
    }
    long length = switch (how) {
      case HUGE -> Places.bytes(65536);
      case UNALIGNED -> 5000;
      default -> Places.bytes(1);
    };
    long offset = switch (how) {
      case FAR -> Places.bytes(1L << 40);
      case SECOND -> Places.bytes(1);
      default -> 0;
    };
    int prot = Mman.PROT_READ | (how == Step.MapOddly.Odd.EXECUTABLE ? Mman.PROT_EXEC : 0)
        | (how == Step.MapOddly.Odd.PRIVATE ? Mman.PROT_WRITE : 0);
    int flags = how == Step.MapOddly.Odd.PRIVATE ? Mman.MAP_PRIVATE : Mman.MAP_SHARED;
    try {
      long address = actor.program.mmapAt(
          Places.address(Places.ODD), actor.fd, length, prot, flags | Mman.MAP_FIXED, offset);
      scene.idle.touched();
      actor.program.munmap(address, length);
    } catch (ErrnoException refused) {
      // As it may.
    }
    scene.follow();
  }

  void unmap(int number, int at, int count) {
    Actor actor = scene.actor(number);
    if (actor == null) {
      return;
    }
    try {
      actor.program.munmap(Places.address(at), Places.bytes(count));
    } catch (ErrnoException refused) {
      // maySplit, say.
    }
    scene.follow();
  }

  void protect(int number, int at, int count, boolean writable) {
    Actor actor = scene.actor(number);
    if (actor == null) {
      return;
    }
    try {
      actor.program.mprotect(
          Places.address(at), Places.bytes(count),
          writable ? Mman.PROT_READ | Mman.PROT_WRITE : Mman.PROT_READ);
    } catch (ErrnoException refused) {
      // A hole, a file that is open for reading, a driver that says no.
    }
    scene.follow();
  }

  void move(int number, int at, int count, int to, int newCount) {
    boolean apart = at + Math.max(count, newCount) <= to || to + newCount <= at;
    if (apart) {
      remap(number, at, count, to, newCount, Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED);
    }
  }

  void grow(int number, int at, int count, int newCount) {
    remap(number, at, count, at, newCount, 0);
  }

  private void remap(int number, int at, int count, int to, int newCount, int flags) {
    Actor actor = scene.actor(number);
    Vma area = actor == null
        ? null
        : scene.kernel.vmas().find(actor.program.task(), Places.address(at)).orElse(null);
    if (actor == null || area == null || area.end() < Places.address(at + count)) {
      return;
    }
    try {
      long unused = scene.kernel.vmas().mremap(
          actor.program.task(), Places.address(at), Places.bytes(count), Places.bytes(newCount),
          flags, Places.address(to));
      actor.moved(at, count, to, newCount);
    } catch (ErrnoException refused) {
      // A hole, an area that may not be split or grown.
    }
    scene.follow();
  }

  void hoard(int number) {
    Actor actor = scene.actor(number);
    if (actor != null) {
      Shortage.ofMemory(actor.program, scene.memory);
      scene.follow();
    }
  }

  void scatter(int number, int spare) {
    Actor actor = scene.actor(number);
    if (actor != null) {
      Shortage.ofAreas(actor.program, scene.setting.profile().maxMapCount(), spare);
      scene.follow();
    }
  }
}
