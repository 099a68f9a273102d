// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.AccessMode;
import io.faultline.device.UnplugPolicy;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import io.faultline.mm.Vma;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A kernel with the driver and some processes, which does what a {@link Step} says. The areas are the
 * kernel's own matter: the model follows what the kernel did. What a page holds is the driver's, and
 * {@link Contents} judges it.
 *
 * <p>For one thread, but for {@link #atOnce}.
 */
final class Machine implements AutoCloseable {
  private static final int ACTORS = 3;

  private final Setting setting;
  private final BootedKernel kernel;
  private final long memory;
  private final Watch watch = new Watch();
  private final Plugged plugged;
  private final DeviceFile file;
  private final Contents contents;
  private final PageNumbers numbers;
  private final IdleFrames idle = new IdleFrames(watch);
  private final @Nullable Actor[] actors = new Actor[ACTORS];
  private boolean mapsItsOwn;
  private boolean readOnly;

  Machine(DriverCompliance compliance, Setting setting, Facades facades) throws Exception {
    this.setting = setting;
    kernel = BootedKernel.boot(compliance.memory(), setting.profile());
    memory = compliance.memory();
    numbers = new PageNumbers(compliance.offsetSelectsMap());
    plugged = new Plugged(compliance, kernel, setting.unplug(), watch, facades);
    contents = new Contents(watch, compliance.showsRegisters());
    file = new DeviceFile(kernel, plugged.can("read"), compliance.size());
    actors[0] = spawn();
  }

  Watch watch() {
    return watch;
  }

  boolean canMap() {
    return plugged.can("mmap");
  }

  boolean handsOver() {
    return plugged.handsOver();
  }

  /** The first rule that is broken, if one is. */
  @Nullable Violation violation() {
    return watch.violation();
  }

  /** After each step: what the kernel had to contain is broken, if nothing else was. */
  void checkContained() {
    String failed = plugged.failure();
    if (failed != null) {
      watch.violated(Rule.CALLBACKS_ANSWER, failed);
    }
  }

  // ---- processes --------------------------------------------------------------------------------

  private Actor spawn() throws ErrnoException {
    Program program = kernel.spawn();
    try {
      return new Actor(program, program.open(plugged.path(), AccessMode.READ_WRITE));
    } catch (ErrnoException refused) {
      readOnly = true;
      return new Actor(program, program.open(plugged.path(), AccessMode.READ_ONLY));
    }
  }

  private @Nullable Actor actor(int number) {
    return number < ACTORS && !plugged.isUnplugged() ? actors[number] : null;
  }

  private @Nullable Actor anyone() {
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
  private void follow() {
    for (Actor actor : actors) {
      if (actor != null) {
        actor.follow(numbers);
      }
    }
    forgetWhatNobodyMaps();
  }

  private boolean nothingIsMapped() {
    for (Actor actor : actors) {
      if (actor != null && actor.mapsDevice()) {
        return false;
      }
    }
    return true;
  }

  /** A device may live for as long as it is mapped. */
  private void forgetWhatNobodyMaps() {
    if (idle.wasMapped() && nothingIsMapped()) {
      idle.unmapped();
      contents.forgetDevice();
    }
  }

  // ---- files ------------------------------------------------------------------------------------

  private boolean canWrite() {
    return plugged.can("write") && !readOnly;
  }

  void fill() {
    if (actor(0) == null) {
      return;
    }
    if (canWrite()) {
      for (int page = 0; page < Step.PAGES; page++) {
        write(page);
      }
      return;
    }
    map(0, Places.SCRATCH, Step.PAGES, 0, true, true);
    for (int page = 0; page < Step.PAGES; page++) {
      store(0, Places.SCRATCH + page);
    }
    unmap(0, Places.SCRATCH, Step.PAGES);
  }

  void cycle() {
    map(0, Places.SCRATCH, Step.PAGES, 0, true, false);
    for (int page = 0; page < Step.PAGES; page++) {
      load(0, Places.SCRATCH + page);
    }
    unmap(0, Places.SCRATCH, Step.PAGES);
    if (nothingIsMapped()) {
      idle.first(plugged.allocated());
    }
  }

  void write(int page) {
    Actor actor = anyone();
    if (actor == null || !canWrite()) {
      return;
    }
    if (page >= Step.PAGES) {
      idle.forget();
    }
    idle.written();
    long value = contents.number(page);
    try {
      if (file.write(actor, page, 0, value)) {
        contents.written(page, value);
      }
      contents.forgetHoles();
    } catch (ErrnoException refused) {
      // A device that is full, or shorter: nothing is known of that page.
    }
  }

  void read(int page) {
    Actor actor = anyone();
    OptionalLong got = file.read(actor, page);
    if (actor != null && plugged.can("read") && mapsItsOwn) {
      contents.read(page, got);
    }
  }

  // ---- areas ------------------------------------------------------------------------------------

  void map(int number, int at, int count, int offset, boolean shared, boolean writable) {
    Actor actor = actor(number);
    if (actor == null || !canMap()) {
      return;
    }
    boolean rw = writable && !(readOnly && shared);
    int prot = rw ? Mman.PROT_READ | Mman.PROT_WRITE : Mman.PROT_READ;
    int flags = (shared ? Mman.MAP_SHARED : Mman.MAP_PRIVATE) | Mman.MAP_FIXED;
    Watch.Backing unused = watch.takeBacking();
    for (int i = 0; i < count; i++) {
      actor.cells.remove(at + i);
    }
    // What was there is closed before the driver is asked.
    forgetWhatNobodyMaps();
    try {
      long mapped = actor.program.mmapAt(
          Places.address(at), actor.fd, Places.bytes(count), prot, flags, Places.bytes(offset));
      if (mapped != Places.address(at)) {
        throw new AssertionError("mmap returned another address");
      }
    } catch (ErrnoException refused) {
      follow();
      return;
    }
    Object source = sourceOf(watch.takeBacking());
    for (int i = 0; i < count; i++) {
      actor.cells.put(
          at + i, new Actor.Cell(source, numbers.of(offset, i), shared, rw, null));
    }
    follow();
  }

  private Object sourceOf(Watch.@Nullable Backing backing) {
    if (backing == Watch.Backing.ANONYMOUS || backing == Watch.Backing.SHARED_MEMORY) {
      return new Object();
    }
    mapsItsOwn |= backing == Watch.Backing.DEVICE;
    idle.mapped();
    return Contents.DEVICE;
  }

  void mapOddly(int number, Step.MapOddly.Odd how) {
    Actor actor = actor(number);
    if (actor == null || !canMap()) {
      return;
    }
    long length = Places.bytes(how == Step.MapOddly.Odd.HUGE ? 65536 : 1);
    long offset = switch (how) {
      case FAR -> Places.bytes(1L << 40);
      case SECOND -> Places.bytes(1);
      default -> 0;
    };
    int prot = Mman.PROT_READ | (how == Step.MapOddly.Odd.EXECUTABLE ? Mman.PROT_EXEC : 0)
        | (how == Step.MapOddly.Odd.PRIVATE ? Mman.PROT_WRITE : 0);
    int flags = how == Step.MapOddly.Odd.PRIVATE ? Mman.MAP_PRIVATE : Mman.MAP_SHARED;
    try {
      long mapped = actor.program.mmapAt(
          Places.address(Places.ODD), actor.fd, length, prot, flags | Mman.MAP_FIXED, offset);
      idle.touched();
      actor.program.munmap(mapped, length);
    } catch (ErrnoException refused) {
      // As it may.
    }
    follow();
  }

  void unmap(int number, int at, int count) {
    Actor actor = actor(number);
    if (actor == null) {
      return;
    }
    try {
      actor.program.munmap(Places.address(at), Places.bytes(count));
    } catch (ErrnoException refused) {
      // maySplit, say.
    }
    follow();
  }

  void protect(int number, int at, int count, boolean writable) {
    Actor actor = actor(number);
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
    follow();
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
    Actor actor = actor(number);
    Vma area = actor == null
        ? null
        : kernel.vmas().find(actor.program.task(), Places.address(at)).orElse(null);
    if (actor == null || area == null || area.end() < Places.address(at + count)) {
      return;
    }
    try {
      long unused = kernel.vmas().mremap(
          actor.program.task(), Places.address(at), Places.bytes(count), Places.bytes(newCount),
          flags, Places.address(to));
      actor.moved(at, count, to, newCount);
    } catch (ErrnoException refused) {
      // A hole, an area that may not be split or grown.
    }
    follow();
  }

  // ---- accesses ---------------------------------------------------------------------------------

  void load(int number, int at) {
    Actor actor = actor(number);
    Actor.Cell cell = actor == null ? null : actor.cells.get(at);
    if (actor == null || cell == null) {
      return;
    }
    Boolean has = has(cell);
    try {
      long got = actor.program.memory().getLong(Places.address(at));
      contents.loaded(at, cell, has, got);
    } catch (SignalException signal) {
      contents.refused(at, cell, has, signal, plugged.failure());
    }
  }

  void store(int number, int at) {
    Actor actor = actor(number);
    Actor.Cell cell = actor == null ? null : actor.cells.get(at);
    if (actor == null || cell == null || !cell.writable) {
      return;
    }
    Boolean has = has(cell);
    long value = contents.number(cell.page);
    try {
      actor.program.memory().putLong(Places.address(at), value);
      contents.stored(at, cell, has, value);
    } catch (SignalException signal) {
      contents.refused(at, cell, has, signal, plugged.failure());
    }
  }

  /** Whether the driver must have a page for it; null when that is the kernel's, or unknown. */
  private @Nullable Boolean has(Actor.Cell cell) {
    if (!cell.isOfDevice() || cell.own != null) {
      return null;
    }
    if (cell.page >= Step.PAGES) {
      idle.forget();
    }
    return file.has(anyone(), cell.page);
  }

  void atOnce(int offset, boolean byWrite) {
    if (plugged.isUnplugged() || byWrite && !canWrite() || !canMap() || readOnly) {
      return;
    }
    idle.forget();
    int page = numbers.of(offset, 0);
    List<Actor> several = new ArrayList<>();
    try {
      for (int i = 0; i < Crowd.SIZE; i++) {
        several.add(spawn());
      }
    } catch (ErrnoException refused) {
      // Fewer then: a device that only so many may open.
    }
    List<Actor> mapped = new ArrayList<>();
    boolean own = true;
    for (Actor actor : several) {
      Watch.Backing unused = watch.takeBacking();
      try {
        long address = actor.program.mmapAt(
            Places.address(Crowd.PLACE), actor.fd, Places.bytes(1),
            Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED | Mman.MAP_FIXED,
            Places.bytes(offset));
        mapped.add(actor);
        boolean device = watch.takeBacking() == Watch.Backing.DEVICE;
        own &= device && address == Places.address(Crowd.PLACE);
        if (device) {
          idle.touched();
        }
      } catch (ErrnoException refused) {
        // A page that cannot be mapped.
      }
    }
    if (own && mapped.size() > 1) {
      Boolean has = file.has(anyone(), page);
      long[] values = mapped.stream().mapToLong(actor -> contents.number(page)).toArray();
      new Crowd(plugged, watch, file, contents).touch(page, byWrite, mapped, values);
      String failed = plugged.failure();
      if (failed != null) {
        contents.callbackFailed(failed, "", has);
      }
    }
    several.forEach(actor -> actor.program.exit());
    contents.forget(page);
    contents.forgetHoles();
    follow();
  }

  // ---- what runs short ----------------------------------------------------------------------------

  void hoard(int number) {
    Actor actor = actor(number);
    if (actor != null) {
      Shortage.ofMemory(actor.program, memory);
      follow();
    }
  }

  void scatter(int number, int spare) {
    Actor actor = actor(number);
    if (actor != null) {
      Shortage.ofAreas(actor.program, setting.profile().maxMapCount(), spare);
      follow();
    }
  }

  // ---- the end ----------------------------------------------------------------------------------

  void upgrade() {
    if (plugged.isUnplugged() || !plugged.handsOver()) {
      return;
    }
    checkContained();
    if (plugged.upgrade()) {
      contents.upgraded();
      idle.forget();
    }
  }

  void unplug() {
    if (plugged.isUnplugged()) {
      return;
    }
    checkContained();
    plugged.unplug();
    if (setting.unplug() != UnplugPolicy.WAIT) {
      look(new Absence(setting.unplug(), watch));
    }
  }

  private void look(Absence absence) {
    for (Actor actor : actors) {
      if (actor != null) {
        actor.cells.forEach((at, cell) -> {
          // What the kernel backs outlives the driver; private copies go with the device's pages.
          if (cell.isOfDevice()) {
            cell.own = null;
            absence.look(actor, at, cell);
          }
        });
      }
    }
  }

  void replug() {
    if (plugged.isUnplugged() || !plugged.handsOver()) {
      return;
    }
    checkContained();
    kernel.keptBytes(memory);
    plugged.unplug();
    checkContained();
    plugged.remove();
    Absence absence = new Absence(setting.unplug(), watch);
    look(absence);
    plugged.comeBack();
    kernel.keptBytes(0);
    contents.cameBack();
    idle.forget();
    absence.over(contents, file);
  }

  /** All processes exit, the driver goes: is anything left? */
  void finish() {
    if (!plugged.isUnplugged()) {
      for (int i = 0; i < ACTORS; i++) {
        exit(i);
      }
      checkContained();
      idle.check(plugged.allocated());
      plugged.unplug();
    }
    String failed = watch.takeFailure();
    if (failed != null) {
      watch.violated(Rule.CALLBACKS_ANSWER, "while the driver was removed: " + failed);
    }
    plugged.remove();
  }

  @Override
  public void close() {
    kernel.close();
  }
}
