// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.FileSystem;
import io.faultline.device.Inode;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code /sys/class/uio/uio0}: the files in which programs look for the maps. Read-only; there are no
 * directories that could be listed, so who looks opens {@code maps/map0/name}, then {@code map1}, until
 * there is none. Thread-safe.
 */
@Component(
    service = FileSystem.class,
    property = {
      FileSystem.MOUNT_POINT + "=" + Sysfs.DIRECTORY, FileSystem.TYPE + "=sysfs"
    })
@RequireFaultline
public final class Sysfs implements FileSystem {
  static final String DIRECTORY = "/sys/class/uio/uio0";

  /** Behind the devices of the kernel's own file systems. */
  private static final DeviceNumber DEVICE = new DeviceNumber(0, 22);

  private record Attribute(Inode inode, Supplier<String> text) {}

  private final Map<String, Attribute> attributes = new LinkedHashMap<>();

  /** The files of a device. */
  @Activate
  public Sysfs(@Reference UioDevice device) {
    add("/name", () -> "faultline");
    add("/version", () -> "1");
    add("/event", () -> Integer.toUnsignedString(device.interrupts().count()));
    List<UioMap> maps = device.maps();
    for (int i = 0; i < maps.size() && maps.get(i).size() > 0; i++) {
      UioMap map = maps.get(i);
      String folder = "/maps/map" + i;
      add(folder + "/name", map::name);
      add(folder + "/addr", () -> "0x%016x".formatted(map.address()));
      add(folder + "/size", () -> "0x%016x".formatted(map.size()));
      add(folder + "/offset", () -> "0x%x".formatted(map.offset()));
    }
  }

  private void add(String path, Supplier<String> text) {
    Inode inode = Inode.builder(FileKind.REGULAR, DIRECTORY + path)
        .identity(DEVICE, attributes.size() + 1).fileSystem("sysfs", false).size(Mman.PAGE_SIZE)
        .build();
    attributes.put(path, new Attribute(inode, () -> text.get() + "\n"));
  }

  @Override
  public Inode lookup(String path, AccessMode mode) throws ErrnoException {
    Attribute attribute = attributes.get(path);
    if (attribute == null) {
      throw new ErrnoException(Errno.ENOENT, "path: there is no " + DIRECTORY + path);
    }
    if (mode.canWrite()) {
      throw new ErrnoException(Errno.EACCES, "path: " + DIRECTORY + path + " is read-only");
    }
    return attribute.inode();
  }

  @Override
  public int read(OpenFile file, long offset, MemorySegment target) throws ErrnoException {
    Attribute attribute = attributes.get(file.inode().path().substring(DIRECTORY.length()));
    if (attribute == null) {
      throw new ErrnoException(Errno.ENODEV, "fd: " + file.inode().path() + " is no more");
    }
    byte[] text = attribute.text().get().getBytes(StandardCharsets.UTF_8);
    int from = (int) Math.min(offset, text.length);
    int count = (int) Math.min(text.length - from, target.byteSize());
    MemorySegment.copy(MemorySegment.ofArray(text), from, target, 0, count);
    return count;
  }
}
