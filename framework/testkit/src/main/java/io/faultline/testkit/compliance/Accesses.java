// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What processes do to the device's pages: loads, stores, {@code read(2)}, {@code write(2)}; each is
 * told to {@link Contents}.
 *
 * <p>For one thread, but for {@link #atOnce}.
 */
final class Accesses {
  private final Scene scene;

  Accesses(Scene scene) {
    this.scene = scene;
  }

  void write(int page) {
    Actor actor = scene.anyone();
    if (actor == null || !scene.canWrite()) {
      return;
    }
    if (page >= Step.PAGES) {
      scene.idle.forget();
    }
    scene.idle.written();
    long value = scene.contents.number(page);
    try {
      if (scene.file.write(actor, page, 0, value)) {
        scene.contents.written(page, value);
      }
      scene.contents.forgetHoles();
    } catch (ErrnoException refused) {
      // A device that is full, or shorter: nothing is known of that page.
    }
  }

  void read(int page) {
    Actor actor = scene.anyone();
    OptionalLong got = scene.file.read(actor, page);
    if (actor != null && scene.plugged.can("read") && scene.mapsItsOwn) {
      scene.contents.read(page, got);
    }
  }

  void load(int number, int at) {
    Actor actor = scene.actor(number);
    Actor.Cell cell = actor == null ? null : actor.cells.get(at);
    if (actor == null || cell == null) {
      return;
    }
    Boolean has = has(cell);
    try {
      long got = actor.program.memory().getLong(Places.address(at));
      scene.contents.loaded(at, cell, has, got);
    } catch (SignalException signal) {
      scene.contents.refused(at, cell, has, signal, scene.plugged.failure());
    }
  }

  void store(int number, int at) {
    Actor actor = scene.actor(number);
    Actor.Cell cell = actor == null ? null : actor.cells.get(at);
    if (actor == null || cell == null || !cell.writable) {
      return;
    }
    Boolean has = has(cell);
    long value = scene.contents.number(cell.page);
    try {
      actor.program.memory().putLong(Places.address(at), value);
      scene.contents.stored(at, cell, has, value);
    } catch (SignalException signal) {
      scene.contents.refused(at, cell, has, signal, scene.plugged.failure());
    }
  }

  /** Whether the driver must have a page for it; null when that is the kernel's, or unknown. */
  private @Nullable Boolean has(Actor.Cell cell) {
    if (!cell.isOfDevice() || cell.own != null) {
      return null;
    }
    if (cell.page >= Step.PAGES) {
      scene.idle.forget();
    }
    return scene.file.has(scene.anyone(), cell.page);
  }

  void atOnce(int offset, boolean byWrite) {
    if (scene.plugged.isUnplugged() || byWrite && !scene.canWrite() || !scene.canMap()
        || scene.readOnly) {
      return;
    }
    scene.idle.forget();
    int page = scene.numbers.of(offset, 0);
    List<Actor> several = new ArrayList<>();
    try {
      for (int i = 0; i < Crowd.SIZE; i++) {
        several.add(scene.spawn());
      }
    } catch (ErrnoException refused) {
      // Fewer then: a device that only so many may open.
    }
    List<Actor> mapped = new ArrayList<>();
    boolean own = true;
    for (Actor actor : several) {
      Watch.Backing unused = scene.watch.takeBacking();
      try {
        long address = actor.program.mmapAt(
            Places.address(Crowd.PLACE), actor.fd, Places.bytes(1),
            Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED | Mman.MAP_FIXED,
            Places.bytes(offset));
        mapped.add(actor);
        boolean device = scene.watch.takeBacking() == Watch.Backing.DEVICE;
        own &= device && address == Places.address(Crowd.PLACE);
        if (device) {
          scene.idle.touched();
        }
      } catch (ErrnoException refused) {
        // A page that cannot be mapped.
      }
    }
    if (own && mapped.size() > 1) {
      Boolean has = scene.file.has(scene.anyone(), page);
      long[] values = mapped.stream().mapToLong(actor -> scene.contents.number(page)).toArray();
      new Crowd(scene.plugged, scene.watch, scene.file, scene.contents).touch(page, byWrite, mapped,
          values);
      String failed = scene.plugged.failure();
      if (failed != null) {
        scene.contents.callbackFailed(failed, "", page, has);
      }
    }
    several.forEach(actor -> actor.program.exit());
    scene.contents.forget(page);
    scene.contents.forgetHoles();
    scene.follow();
  }
}
