// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;

import io.faultline.core.area.Area;
import io.faultline.core.device.MmapRequestObject;
import io.faultline.core.device.OpenFileObject;
import io.faultline.device.AccessMode;
import io.faultline.device.Inode;
import io.faultline.kernel.InitialArea;
import io.faultline.kernel.ProcessImage;
import io.faultline.kernel.SpecialMapping;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.Map;

/** Makes the address space that a program starts with. */
public final class SpaceBuilder {
  private final MmServices services;
  private final Map<SpecialMapping, SpecialMappings> special = new EnumMap<>(SpecialMapping.class);

  public SpaceBuilder(MmServices services) {
    this.services = services;
    for (SpecialMapping kind : SpecialMapping.values()) {
      special.put(kind, new SpecialMappings(services.memory(), kind));
    }
  }

  /**
   * @throws IllegalArgumentException when areas overlap, leave user space, or map what cannot be
   *     mapped
   */
  public AddressSpace build(int pid, ProcessImage image) {
    AddressSpace space =
        new AddressSpace(
            pid, image.profile(), image.layout(), image.limits(), image.credentials(),
            image.objects(), services);
    Map<Inode, OpenFileObject> files = new IdentityHashMap<>();
    try {
      for (InitialArea initial : image.areas()) {
        add(space, initial, files);
        // The program's code is what execve maps first.
        if (space.textPages() == 0 && initial.file() != null && initial.flags().has(VmFlag.EXEC)) {
          space.setTextPages(initial.end() - initial.start() >>> Mman.PAGE_SHIFT);
        }
      }
    } catch (ErrnoException | IllegalStateException refused) {
      ExitOperation.exit(space);
      throw new IllegalArgumentException("areas: " + refused, refused);
    } finally {
      files.values().forEach(OpenFileObject::release);
    }
    return space;
  }

  private void add(AddressSpace space, InitialArea initial, Map<Inode, OpenFileObject> files)
      throws ErrnoException {
    if (Args.above(initial.end(), space.profile().taskSize())) {
      throw new IllegalStateException(initial + " leaves user space");
    }
    long flags = initial.flags().bits();
    Area area =
        new Area(
            space.pid(), initial.start(), initial.end(), initial.pageOffset(), flags,
            initial.special());
    if (initial.special() != null) {
      area.setOperations(special.get(initial.special()));
    } else if (initial.file() != null) {
      attach(area, open(initial.file(), files));
    }
    space.areas().insert(area);
    space.account().add(flags, area.pages());
    if ((flags & VM_ACCOUNT) != 0) {
      space.charge(area.pages());
    }
  }

  /** One open file for each inode, as {@code execve} has. */
  private OpenFileObject open(Inode inode, Map<Inode, OpenFileObject> files)
      throws ErrnoException {
    OpenFileObject file = files.get(inode);
    if (file == null) {
      file = services.devices().open(inode, AccessMode.READ_ONLY, false);
      files.put(inode, file);
    }
    return file;
  }

  private void attach(Area area, OpenFileObject file) throws ErrnoException {
    MmapRequestObject request =
        new MmapRequestObject(
            area.pid(), area.start(), area.end(), area.pageOffset(), area.flagBits(),
            services.memory(), bytes -> {});
    file.mmap(request);
    file.get();
    area.setFile(file);
    area.setOperations(request.operations());
    area.setPrivateData(request.privateData());
  }
}
