// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.kernel.Credentials;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.KernelProfile.Overcommit;
import io.faultline.kernel.KernelProfile.TransparentHugePages;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code meta.json}. Every field that decides what a memory call does must be there; unknown
 * ones are ignored.
 */
final class MetaReader {
  private static final String FORMAT = "vmrec-1";

  /** ADDR_COMPAT_LAYOUT of {@code personality(2)}. */
  private static final long COMPAT_LAYOUT = 0x20_0000;

  private final Path file;
  private final Map<String, @Nullable Object> fields;

  private MetaReader(Path file, Map<String, @Nullable Object> fields) {
    this.file = file;
    this.fields = fields;
  }

  static Meta read(Path file) throws IOException {
    return new MetaReader(file, JsonReader.readObject(file, LineScanner.text(file))).meta();
  }

  private Meta meta() throws RecordingException {
    if (!FORMAT.equals(fields.get("format"))) {
      throw wrong("format", "\"" + FORMAT + "\"", fields.get("format"));
    }
    return new Meta(command(), profile(), layout(), limits(), credentials());
  }

  private List<String> command() throws RecordingException {
    if (!(fields.get("argv") instanceof List<?> list)) {
      throw wrong("argv", "a list of strings", fields.get("argv"));
    }
    List<String> words = new ArrayList<>();
    for (Object word : list) {
      if (!(word instanceof String string)) {
        throw wrong("argv", "a list of strings", word);
      }
      words.add(string);
    }
    return words;
  }

  private KernelProfile profile() throws RecordingException {
    KernelProfile standard = KernelProfile.LINUX_6_18;
    try {
      return new KernelProfile(
          "linux-" + fields.get("kernel"),
          hex(object("mm"), "mm", "task_size"),
          number("vm.mmap_min_addr"),
          number("lsm_mmap_min_addr"),
          (int) number("stack_guard_gap_pages"),
          (int) number("vm.max_map_count"),
          number("mem_total_kb") * 1024,
          number("swap_total_kb") * 1024,
          overcommit(),
          fields.containsKey("vm.overcommit_ratio")
              ? (int) number("vm.overcommit_ratio")
              : standard.overcommitRatio(),
          transparentHugePages(),
          truth("cpu_pku"),
          fields.containsKey("vm.nr_hugepages") ? number("vm.nr_hugepages") : 0);
    } catch (IllegalArgumentException e) {
      throw RecordingException.of(file, "expected the facts of a machine: " + e.getMessage());
    }
  }

  private Overcommit overcommit() throws RecordingException {
    long mode = number("vm.overcommit_memory");
    Overcommit[] modes = Overcommit.values();
    if (mode < 0 || mode >= modes.length) {
      throw wrong("vm.overcommit_memory", "0, 1 or 2", mode);
    }
    return modes[(int) mode];
  }

  /** The setting is the word in brackets: {@code always [madvise] never}. */
  private TransparentHugePages transparentHugePages() throws RecordingException {
    Object setting = fields.get("thp_enabled");
    if (setting instanceof String words) {
      for (TransparentHugePages choice : TransparentHugePages.values()) {
        if (words.contains("[" + choice.name().toLowerCase(Locale.ROOT) + "]")) {
          return choice;
        }
      }
    }
    throw wrong("thp_enabled", "always, madvise and never with one of them in brackets", setting);
  }

  private MmLayout layout() throws RecordingException {
    Map<?, ?> mm = object("mm");
    Object personality = fields.get("personality");
    long bits;
    try {
      bits = Long.parseUnsignedLong(String.valueOf(personality), 16);
    } catch (NumberFormatException e) {
      throw wrong("personality", "a hexadecimal number in quotes", personality);
    }
    boolean legacy =
        (bits & COMPAT_LAYOUT) != 0
            || (fields.containsKey("vm.legacy_va_layout") && number("vm.legacy_va_layout") != 0);
    return new MmLayout(
        hex(mm, "mm", "start_brk"),
        hex(mm, "mm", "start_stack"),
        hex(mm, "mm", "start_data"),
        hex(mm, "mm", "end_data"),
        hex(mm, "mm", "mmap_base"),
        legacy);
  }

  private Limits limits() throws RecordingException {
    Map<?, ?> limits = object("rlimits");
    return new Limits(
        limit(limits, "stack"), limit(limits, "as"), limit(limits, "data"),
        limit(limits, "memlock"), hardLimit(limits, "data"));
  }

  private long limit(Map<?, ?> limits, String name) throws RecordingException {
    return limit(limits, name, "cur");
  }

  /** A recording that has none was made without one. */
  private long hardLimit(Map<?, ?> limits, String name) throws RecordingException {
    return limits.get(name) instanceof Map<?, ?> pair && pair.containsKey("max")
        ? limit(limits, name, "max")
        : Limits.UNLIMITED;
  }

  private long limit(Map<?, ?> limits, String name, String which) throws RecordingException {
    Object value = limits.get(name) instanceof Map<?, ?> pair ? pair.get(which) : null;
    if (value instanceof Long bytes) {
      return bytes;
    }
    if ("unlimited".equals(value)) {
      return Limits.UNLIMITED;
    }
    throw wrong("rlimits." + name + "." + which, "a number or \"unlimited\"", value);
  }

  private Credentials credentials() throws RecordingException {
    return new Credentials(
        (int) number("uid"),
        truth("cap_ipc_lock"),
        truth("cap_sys_rawio"),
        truth("cap_sys_resource"),
        fields.containsKey("cap_sys_admin") && truth("cap_sys_admin"));
  }

  private Map<?, ?> object(String name) throws RecordingException {
    if (fields.get(name) instanceof Map<?, ?> object) {
      return object;
    }
    throw wrong(name, "an object", fields.get(name));
  }

  /** A number; the sysctls are written as strings. */
  private long number(String name) throws RecordingException {
    Object value = fields.get(name);
    if (value instanceof Long number) {
      return number;
    }
    if (value instanceof String digits) {
      try {
        return Long.parseLong(digits);
      } catch (NumberFormatException e) {
        throw wrong(name, "a number", value);
      }
    }
    throw wrong(name, "a number", value);
  }

  private boolean truth(String name) throws RecordingException {
    if (fields.get(name) instanceof Boolean truth) {
      return truth;
    }
    throw wrong(name, "true or false", fields.get(name));
  }

  private long hex(Map<?, ?> object, String prefix, String name) throws RecordingException {
    Object value = object.get(name);
    if (value instanceof String digits && digits.startsWith("0x")) {
      try {
        return Long.parseUnsignedLong(digits, 2, digits.length(), 16);
      } catch (NumberFormatException e) {
        throw wrong(prefix + "." + name, "0x and a hexadecimal number, in quotes", value);
      }
    }
    throw wrong(prefix + "." + name, "0x and a hexadecimal number, in quotes", value);
  }

  private RecordingException wrong(String field, String what, @Nullable Object found) {
    return RecordingException.of(
        file,
        "field \"%s\": expected %s, found %s"
            .formatted(field, what, found == null ? "nothing" : "'" + found + "'"));
  }
}
