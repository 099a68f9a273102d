// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.AccessMode;
import io.faultline.mm.ErrnoException;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.Program;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The kernel with the driver and some processes, and what is known of them. The areas are the kernel's
 * own matter: the model follows what the kernel did. What a page holds is the driver's, and {@link
 * Contents} judges it.
 */
final class Scene {
  private static final int ACTORS = 3;

  final Setting setting;
  final BootedKernel kernel;
  /** Physical memory, in bytes. */
  final long memory;
  final Watch watch = new Watch();
  final Plugged plugged;
  final DeviceFile file;
  final Said said;
  final Contents contents;
  final PageNumbers numbers;
  final IdleFrames idle = new IdleFrames(watch);
  private final @Nullable Actor[] actors = new Actor[ACTORS];
  /** Whether a mapping has shown the device, not the kernel's own memory. */
  boolean mapsItsOwn;
  /** Whether the device cannot be opened for writing. */
  boolean readOnly;

  Scene(DriverCompliance compliance, Setting setting, Facades facades) throws Exception {
    this.setting = setting;
    kernel = BootedKernel.boot(compliance.memory(), setting.profile());
    memory = compliance.memory();
    numbers = new PageNumbers(compliance.offsetSelectsMap());
    plugged = new Plugged(compliance, kernel, setting.unplug(), watch, facades);
    said = new Said(compliance);
    contents = new Contents(watch, said);
    file = new DeviceFile(kernel, plugged.can("read"), said);
    actors[0] = spawn();
  }

  boolean canMap() {
    return plugged.can("mmap");
  }

  Actor spawn() throws ErrnoException {
    Program program = kernel.spawn();
    try {
      return new Actor(program, program.open(plugged.path(), AccessMode.READ_WRITE));
    } catch (ErrnoException refused) {
      readOnly = true;
      return new Actor(program, program.open(plugged.path(), AccessMode.READ_ONLY));
    }
  }

  @Nullable Actor actor(int number) {
    return number < ACTORS && !plugged.isUnplugged() ? actors[number] : null;
  }

  @Nullable Actor anyone() {
    for (int i = 0; i < ACTORS; i++) {
      Actor actor = actor(i);
      if (actor != null) {
        return actor;
      }
    }
    return null;
  }

  void fork(int number) {
    Actor parent = actor(number);
    int free = 0;
    while (free < ACTORS && actors[free] != null) {
      free++;
    }
    if (parent == null || free == ACTORS) {
      return;
    }
    try {
      actors[free] = parent.fork();
    } catch (ErrnoException refused) {
      // No memory.
    }
    follow();
  }

  void exit(int number) {
    Actor actor = actor(number);
    if (actor != null) {
      actor.program.exit();
      actors[number] = null;
      follow();
    }
  }

  /** Takes from the kernel what is mapped. */
  void follow() {
    for (Actor actor : actors) {
      if (actor != null) {
        actor.follow(numbers);
      }
    }
    forgetWhatNobodyMaps();
  }

  boolean nothingIsMapped() {
    for (Actor actor : actors) {
      if (actor != null && actor.mapsDevice()) {
        return false;
      }
    }
    return true;
  }

  /** A device may live for as long as it is mapped. */
  void forgetWhatNobodyMaps() {
    if (idle.wasMapped() && nothingIsMapped()) {
      idle.unmapped();
      contents.forgetDevice();
    }
  }

  boolean canWrite() {
    return plugged.can("write") && !readOnly;
  }

  /** Those that there are. */
  List<Actor> actors() {
    List<Actor> there = new ArrayList<>();
    for (Actor actor : actors) {
      if (actor != null) {
        there.add(actor);
      }
    }
    return there;
  }

  void exitAll() {
    for (int i = 0; i < ACTORS; i++) {
      exit(i);
    }
  }
}
