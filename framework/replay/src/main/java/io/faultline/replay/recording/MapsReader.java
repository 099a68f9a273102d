// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.device.DeviceNumber;
import io.faultline.kernel.SpecialMapping;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmFlags;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads {@code maps.begin} side by side with {@code vmflags.begin}. */
public final class MapsReader {
  private static final String VSYSCALL = "[vsyscall]";

  private static final Map<String, VmFlag> FLAGS = new HashMap<>();

  static {
    for (VmFlag flag : VmFlag.values()) {
      FLAGS.put(flag.mnemonic(), flag);
    }
  }

  private final LineScanner maps;
  private final LineScanner flags;

  private MapsReader(LineScanner maps, LineScanner flags) {
    this.maps = maps;
    this.flags = flags;
  }

  static List<InitialMapping> read(Path maps, Path flags) throws IOException {
    return new MapsReader(LineScanner.open(maps), LineScanner.open(flags)).read();
  }

  /**
   * Reads two texts that are no files.
   *
   * @param maps {@code /proc/PID/maps}
   * @param flags a line {@code START-END flag …} for each mapping
   */
  public static List<InitialMapping> parse(String maps, String flags) throws RecordingException {
    return new MapsReader(
        new LineScanner(Path.of("maps"), maps), new LineScanner(Path.of("vmflags"), flags))
        .read();
  }

  private List<InitialMapping> read() throws RecordingException {
    List<InitialMapping> mappings = new ArrayList<>();
    long previousEnd = 0;
    while (maps.next()) {
      long start = hex("the start of a mapping");
      maps.take("-");
      long end = hex("the end of a mapping");
      maps.take(" ");
      if (((start | end) & (Mman.PAGE_SIZE - 1)) != 0 || Long.compareUnsigned(start, end) >= 0) {
        throw maps.wrongLine("a range that is aligned to pages and not empty");
      }
      if (Long.compareUnsigned(start, previousEnd) < 0) {
        throw maps.wrongLine("mappings in ascending order");
      }
      previousEnd = end;
      String rights = maps.word("four letters of rights");
      if (rights.length() != 4) {
        throw maps.wrongLine("four letters of rights");
      }
      maps.take(" ");
      long offset = hex("an offset in hexadecimal");
      maps.take(" ");
      DeviceNumber device = Devices.read(maps);
      maps.take(" ");
      long inode = maps.digits("an inode number", 10);
      maps.skipBlanks();
      String name = maps.rest();
      if (name.equals(VSYSCALL)) {
        continue;
      }
      VmFlags set = flagsOf(start, end, rights);
      SpecialMapping special = special(name);
      boolean named = special == null && !name.isEmpty() && !anonymous(name);
      if (named && name.startsWith("[")) {
        throw maps.wrongLine("[heap], [stack], [vdso], [vvar], [vvar_vclock] or a file");
      }
      mappings.add(
          new InitialMapping(
              start,
              end,
              set,
              offset,
              named ? new Note.FileName(device, inode, name) : null,
              special));
    }
    if (mappings.isEmpty()) {
      throw maps.expected("at least one mapping");
    }
    return List.copyOf(mappings);
  }

  private static boolean anonymous(String name) {
    return name.equals("[heap]") || name.equals("[stack]");
  }

  private static @Nullable SpecialMapping special(String name) {
    for (SpecialMapping mapping : SpecialMapping.values()) {
      if (mapping.label().equals(name)) {
        return mapping;
      }
    }
    return null;
  }

  private long hex(String what) throws RecordingException {
    return maps.digits(what, 16);
  }

  private VmFlags flagsOf(long start, long end, String rights) throws RecordingException {
    if (!flags.next()) {
      throw flags.expected(
          "the flags of %x-%x, which %s has".formatted(start, end, maps.file().getFileName()));
    }
    if (flags.digits("an address", 16) != start) {
      throw flags.wrongLine("flags for the mapping at %x".formatted(start));
    }
    flags.take("-");
    if (flags.digits("an address", 16) != end) {
      throw flags.wrongLine("flags for the mapping up to %x".formatted(end));
    }
    long bits = 0;
    flags.skipBlanks();
    while (!flags.atEnd()) {
      String letters = flags.word("two letters of a flag");
      VmFlag flag = FLAGS.get(letters);
      if (flag == null) {
        throw flags.wrongLine("flags by their two letters, not '" + letters + "'");
      }
      bits |= flag.mask();
      flags.skipBlanks();
    }
    VmFlags set = new VmFlags(bits);
    if (set.has(VmFlag.READ) != (rights.charAt(0) == 'r')
        || set.has(VmFlag.WRITE) != (rights.charAt(1) == 'w')
        || set.has(VmFlag.EXEC) != (rights.charAt(2) == 'x')
        || set.has(VmFlag.MAYSHARE) != (rights.charAt(3) == 's')) {
      throw flags.wrongLine("flags that agree with the rights " + rights);
    }
    return set;
  }
}
