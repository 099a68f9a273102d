// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_LOCKED;

import io.faultline.core.area.Area;
import io.faultline.core.memory.FrameOwner;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.Place;
import io.faultline.core.paging.Pte;
import java.util.function.Supplier;

/** Checks that the parts of an address space agree. For tests, after each step. */
final class SpaceValidator {
  private SpaceValidator() {}

  static void validate(AddressSpace space) {
    space.areas().validate();
    VmAccount counted = new VmAccount();
    long[] locked = {0};
    space
        .areas()
        .forEach(
            area -> {
              counted.add(area.flagBits(), area.pages());
              if (area.hasAny(VM_LOCKED)) {
                locked[0] += area.pages();
              }
              check(area.pid() == space.pid(), () -> area + ": belongs to process " + area.pid());
              check(area.attached(), () -> area + ": in the tree, but not attached");
              check(
                  area.anonVmas().length() == 0
                      || area.anonVmas().displacement() == area.displacement(),
                  () -> area + ": its anon_vmas know it elsewhere");
              check(
                  area.anonVmas().own() == null || area.anonVmas().length() > 0,
                  () -> area + ": has an anon_vma, but an empty chain");
            });
    VmAccount kept = space.account();
    check(kept.total() == counted.total(), "total_vm", kept.total(), counted.total());
    check(kept.data() == counted.data(), "data_vm", kept.data(), counted.data());
    check(kept.exec() == counted.exec(), "exec_vm", kept.exec(), counted.exec());
    check(kept.stack() == counted.stack(), "stack_vm", kept.stack(), counted.stack());
    locked[0] += kept.stranded();
    check(kept.locked() == locked[0], "locked_vm", kept.locked(), locked[0]);
    check(
        space.tables().residentCount() == space.tables().residentPages(),
        "rss", space.tables().residentCount(), space.tables().residentPages());
    validateEntries(space);
  }

  private static void validateEntries(AddressSpace space) {
    space
        .tables()
        .visit(
            0,
            space.profile().taskSize(),
            (address, entry) -> {
              Area area = space.areas().findAt(address);
              check(area != null, () -> "an entry at 0x%x, but no area".formatted(address));
              check(
                  !Pte.hasFrame(entry) || Pte.isSpecial(entry)
                      || !space.memory().isIo(Pte.frame(entry)),
                  () -> "the entry at 0x%x counts registers as a page".formatted(address));
              if (Pte.hasFrame(entry) && !Pte.isSpecial(entry)) {
                check(
                    space.memory().references(Pte.frame(entry)) > 0,
                    () -> "the entry at 0x%x points to a free frame".formatted(address));
              }
              if (Pte.hasFrame(entry) && Pte.isAnonymous(entry) && area != null) {
                check(
                    area.anonVmas().own() != null,
                    () -> "an anonymous page at 0x%x, but no anon_vma".formatted(address));
              }
              if (Pte.hasFrame(entry) && !Pte.isSpecial(entry) && area != null) {
                validateOwner(space, area, address, Pte.frame(entry));
              }
              return entry;
            });
  }

  /** The entry can be found from its frame. */
  private static void validateOwner(AddressSpace space, Area area, long address, long frame) {
    FrameTable frames = space.memory().table();
    FrameOwner owner = frames.owner(frame);
    if (owner == null) {
      return;
    }
    long index = frames.index(frame);
    check(
        index == area.pageOffsetOf(address),
        () -> "the page at 0x%x has index %x, its area says %x".formatted(
            address, index, area.pageOffsetOf(address)));
    for (Place place : owner.places().snapshot()) {
      if (place.pid() == space.pid() && place.address(index) == address) {
        return;
      }
    }
    throw new IllegalStateException(
        "the page at 0x%x of process %d cannot be found from its frame %d".formatted(
            address, space.pid(), frame));
  }

  private static void check(boolean holds, Supplier<String> what) {
    if (!holds) {
      throw new IllegalStateException(what.get());
    }
  }

  private static void check(boolean holds, String counter, long kept, long counted) {
    check(holds, () -> counter + " is " + kept + ", counted " + counted);
  }
}
