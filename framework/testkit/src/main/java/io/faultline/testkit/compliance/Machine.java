// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.UnplugPolicy;
import org.jspecify.annotations.Nullable;

/** Does what a {@link Step} says: sets the scene, and brings the driver and takes it away. */
final class Machine implements AutoCloseable {
  private final Scene scene;
  private final AreaCalls areas;
  private final Accesses accesses;
  private final ShortOfMemory shortOfMemory;

  Machine(DriverCompliance compliance, Setting setting, Facades facades) throws Exception {
    scene = new Scene(compliance, setting, facades);
    areas = new AreaCalls(scene);
    accesses = new Accesses(scene);
    shortOfMemory = new ShortOfMemory(scene, areas);
  }

  Scene scene() {
    return scene;
  }

  AreaCalls areas() {
    return areas;
  }

  Accesses accesses() {
    return accesses;
  }

  ShortOfMemory shortOfMemory() {
    return shortOfMemory;
  }

  Watch watch() {
    return scene.watch;
  }

  boolean handsOver() {
    return scene.plugged.handsOver();
  }

  /** The first rule that is broken, if one is. */
  @Nullable Violation violation() {
    return scene.watch.violation();
  }

  /** After each step: what the kernel had to contain is broken, if nothing else was. */
  void checkContained() {
    String failed = scene.plugged.failure();
    if (failed != null) {
      scene.watch.violated(Rule.CALLBACKS_ANSWER, failed);
    }
  }

  void fill() {
    if (scene.actor(0) == null) {
      return;
    }
    if (scene.canWrite()) {
      for (int page = 0; page < Step.PAGES; page++) {
        accesses.write(page);
      }
      return;
    }
    if (!areas.map(0, Places.SCRATCH, Step.PAGES, 0, true, true) && !scene.numbers.byMap()) {
      // Pages that cannot be mapped together.
      for (int page = 0; page < Step.PAGES; page++) {
        if (!Boolean.FALSE.equals(scene.file.has(scene.anyone(), page))) {
          boolean unused = areas.map(0, Places.SCRATCH + page, 1, page, true, true);
        }
      }
    }
    for (int page = 0; page < Step.PAGES; page++) {
      accesses.store(0, Places.SCRATCH + page);
    }
    areas.unmap(0, Places.SCRATCH, Step.PAGES);
  }

  /** Pages further on, where it is known that the device has them. */
  void fillMore(int offset, int pages) {
    for (int page = Math.max(offset, Step.PAGES); page < offset + pages; page++) {
      if (scene.actor(0) == null || !scene.said.has(page)) {
        continue;
      }
      if (scene.canWrite()) {
        accesses.write(page);
      } else if (areas.map(0, Places.SCRATCH, 1, page, true, true)) {
        accesses.store(0, Places.SCRATCH);
        areas.unmap(0, Places.SCRATCH, 1);
      }
    }
  }

  void cycle() {
    if (!areas.map(0, Places.SCRATCH, Step.PAGES, 0, true, false)) {
      // Not all pages were touched, so there is nothing to compare with at the end.
      return;
    }
    for (int page = 0; page < Step.PAGES; page++) {
      accesses.load(0, Places.SCRATCH + page);
    }
    areas.unmap(0, Places.SCRATCH, Step.PAGES);
    if (scene.nothingIsMapped()) {
      scene.idle.first(scene.plugged.allocated());
    }
  }

  void upgrade() {
    if (scene.plugged.isUnplugged() || !scene.plugged.handsOver()) {
      return;
    }
    checkContained();
    if (scene.plugged.upgrade()) {
      scene.contents.upgraded();
      scene.idle.forget();
    }
  }

  void unplug() {
    if (scene.plugged.isUnplugged()) {
      return;
    }
    checkContained();
    scene.plugged.unplug();
    if (scene.setting.unplug() != UnplugPolicy.WAIT) {
      look(new Absence(scene.setting.unplug(), scene.watch));
    }
  }

  private void look(Absence absence) {
    for (Actor actor : scene.actors()) {
      actor.cells.forEach((at, cell) -> {
        // What the kernel backs outlives the driver, and so does what a process has copied.
        if (cell.isOfDevice() && cell.own == null) {
          absence.look(actor, at, cell);
        }
      });
    }
  }

  void replug() {
    if (scene.plugged.isUnplugged() || !scene.plugged.handsOver()) {
      return;
    }
    checkContained();
    scene.kernel.keptBytes(scene.memory);
    scene.plugged.unplug();
    checkContained();
    scene.plugged.remove();
    Absence absence = new Absence(scene.setting.unplug(), scene.watch);
    look(absence);
    scene.plugged.comeBack();
    scene.kernel.keptBytes(0);
    scene.contents.cameBack();
    scene.idle.forget();
    absence.over(scene.contents, scene.file);
  }

  /** All processes exit, the driver goes: is anything left? */
  void finish() {
    if (!scene.plugged.isUnplugged()) {
      scene.exitAll();
      checkContained();
      scene.idle.check(scene.plugged.allocated());
      scene.plugged.unplug();
    }
    String failed = scene.watch.takeFailure();
    if (failed != null) {
      scene.watch.violated(Rule.CALLBACKS_ANSWER, "while the driver was removed: " + failed);
    }
    scene.plugged.remove();
  }

  @Override
  public void close() {
    scene.kernel.close();
  }
}
