// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import static io.faultline.core.area.VmBits.VM_EXEC;
import static io.faultline.core.area.VmBits.VM_MAYSHARE;
import static io.faultline.core.area.VmBits.VM_READ;
import static io.faultline.core.area.VmBits.VM_WRITE;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.MappedFile;
import io.faultline.core.mm.AddressSpace;
import io.faultline.device.DeviceNumber;
import io.faultline.device.Inode;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import org.jspecify.annotations.Nullable;

/** {@code /proc/PID/maps} ({@code show_map_vma}) and the flags of smaps. Stateless. */
public final class MapsText {
  private static final int NAME_COLUMN = 73;
  static final String VSYSCALL =
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";
  private static final String VSYSCALL_FLAGS = "ffffffffff600000-ffffffffff601000 ex\n";

  private MapsText() {}

  /** All lines, with the vsyscall page. */
  public static String maps(AddressSpace space) {
    StringBuilder text = new StringBuilder(space.areas().size() * 96 + 128);
    locked(space, () -> space.areas().forEach(area -> appendLine(text, space, area)));
    return text.append(VSYSCALL).toString();
  }

  /** One line an area: its range and the letters of its flags. */
  public static String vmFlags(AddressSpace space) {
    StringBuilder text = new StringBuilder(space.areas().size() * 64 + 64);
    locked(
        space,
        () -> space
            .areas()
            .forEach(
                area -> {
                  appendHex(text, area.start(), 8);
                  text.append('-');
                  appendHex(text, area.end(), 8);
                  for (VmFlag flag : VmFlag.values()) {
                    if (area.hasAny(flag.mask())) {
                      text.append(' ').append(flag.mnemonic());
                    }
                  }
                  text.append('\n');
                }));
    return text.append(VSYSCALL_FLAGS).toString();
  }

  /** A process that is gone has no areas, only the gate page. */
  static void locked(AddressSpace space, Runnable reader) {
    try {
      space.lockForReading();
    } catch (ErrnoException goneOrReentrant) {
      return;
    }
    try {
      reader.run();
    } finally {
      space.unlockForReading();
    }
  }

  static void appendLine(StringBuilder text, AddressSpace space, Area area) {
    int lineStart = text.length();
    long flags = area.flagBits();
    MappedFile file = area.mappedFile();
    Inode inode = file == null ? null : file.inode();
    DeviceNumber device = inode == null ? DeviceNumber.NONE : inode.device();
    appendHex(text, area.start(), 8);
    text.append('-');
    appendHex(text, area.end(), 8);
    text.append(' ')
        .append((flags & VM_READ) != 0 ? 'r' : '-')
        .append((flags & VM_WRITE) != 0 ? 'w' : '-')
        .append((flags & VM_EXEC) != 0 ? 'x' : '-')
        .append((flags & VM_MAYSHARE) != 0 ? 's' : 'p')
        .append(' ');
    appendHex(text, inode == null ? 0 : area.pageOffset() << Mman.PAGE_SHIFT, 8);
    text.append(' ');
    appendHex(text, device.major(), 2);
    text.append(':');
    appendHex(text, device.minor(), 2);
    text.append(' ').append(inode == null ? "0" : Long.toUnsignedString(inode.number()));
    text.append(' ');
    String name = name(space, area, inode);
    if (name != null) {
      pad(text, lineStart);
      text.append(name);
    }
    text.append('\n');
  }

  /** Blanks up to the column of names. */
  static void pad(StringBuilder text, int lineStart) {
    text.repeat(' ', Math.max(0, NAME_COLUMN - (text.length() - lineStart)));
  }

  private static @Nullable String name(AddressSpace space, Area area, @Nullable Inode inode) {
    if (inode != null) {
      return escaped(inode.path());
    }
    AreaOperations operations = area.operations();
    String own = operations == null ? null : operations.name(area);
    if (own != null) {
      return own;
    }
    if (area.start() < space.brk() && area.end() > space.layout().startBrk()) {
      return "[heap]";
    }
    long stack = space.layout().startStack();
    return area.start() <= stack && area.end() >= stack ? "[stack]" : null;
  }

  /** A line break in a file name would break the text: the kernel prints {@code \012}. */
  private static String escaped(String path) {
    return path.indexOf('\n') < 0 ? path : path.replace("\n", "\\012");
  }

  static void appendHex(StringBuilder text, long value, int width) {
    int digits = Math.max(width, (64 - Long.numberOfLeadingZeros(value | 1) + 3) / 4);
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
      text.append(Character.forDigit((int) (value >>> shift) & 0xf, 16));
    }
  }
}
