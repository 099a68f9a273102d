// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import java.util.ArrayList;
import java.util.List;

/** Prints one family of flags as strace does: names in strace's order, the rest as a number. */
final class FlagText {
  private record Flag(String name, long bits) {}

  static final FlagText PROT = new FlagText("PROT_???")
      .with("PROT_READ", 1).with("PROT_WRITE", 2).with("PROT_EXEC", 4).with("PROT_SEM", 8)
      .with("PROT_GROWSDOWN", 0x01000000).with("PROT_GROWSUP", 0x02000000);

  static final FlagText MREMAP = new FlagText("MREMAP_???")
      .with("MREMAP_MAYMOVE", 1).with("MREMAP_FIXED", 2).with("MREMAP_DONTUNMAP", 4);

  static final FlagText MS =
      new FlagText("MS_???").with("MS_ASYNC", 1).with("MS_INVALIDATE", 2).with("MS_SYNC", 4);

  static final FlagText MLOCK = new FlagText("MLOCK_???").with("MLOCK_ONFAULT", 1);

  static final FlagText MCL = new FlagText("MCL_???")
      .with("MCL_CURRENT", 1).with("MCL_FUTURE", 2).with("MCL_ONFAULT", 4);

  static final FlagText MPOL_MF = new FlagText("MPOL_MF_???")
      .with("MPOL_MF_STRICT", 1).with("MPOL_MF_MOVE", 2).with("MPOL_MF_MOVE_ALL", 4);

  private static final FlagText MAP = new FlagText("MAP_???")
      .with("MAP_FIXED", 0x10).with("MAP_ANONYMOUS", 0x20).with("MAP_32BIT", 0x40)
      .with("MAP_NORESERVE", 0x4000).with("MAP_POPULATE", 0x8000)
      .with("MAP_NONBLOCK", 0x10000).with("MAP_GROWSDOWN", 0x100)
      .with("MAP_DENYWRITE", 0x800).with("MAP_EXECUTABLE", 0x1000)
      .with("MAP_LOCKED", 0x2000).with("MAP_STACK", 0x20000).with("MAP_HUGETLB", 0x40000)
      .with("MAP_SYNC", 0x80000).with("MAP_FIXED_NOREPLACE", 0x100000);

  private static final int TYPE = 0xf;
  private static final int HUGE_SHIFT = 26;
  private static final long HUGE_MASK = 0x3fL << HUGE_SHIFT;

  private static final String[] ADVICE = advice();
  private static final String[] POLICY = {
    "MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL",
    "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"
  };

  private final String unknown;
  private final List<Flag> flags = new ArrayList<>();

  private FlagText(String unknown) {
    this.unknown = unknown;
  }

  private FlagText with(String name, long bits) {
    flags.add(new Flag(name, bits));
    return this;
  }

  /** The flags of a word of 32 bits. */
  String of(long word) {
    long rest = word & 0xffffffffL;
    if (rest == 0) {
      return "0";
    }
    StringBuilder text = new StringBuilder();
    rest = names(rest, text);
    if (rest == 0) {
      return text.toString();
    }
    return text.isEmpty()
        ? "0x%x /* %s */".formatted(rest, unknown)
        : text.append("|0x").append(Long.toHexString(rest)).toString();
  }

  /** {@code PROT_...} flags: none of them has a name. */
  static String prot(long word) {
    return (word & 0xffffffffL) == 0 ? "PROT_NONE" : PROT.of(word);
  }

  /** {@code MAP_...} flags: a type, then flags. */
  static String map(long word) {
    long flags = word & 0xffffffffL;
    StringBuilder text = new StringBuilder();
    long type = flags & TYPE;
    text.append(switch ((int) type) {
      case 1 -> "MAP_SHARED";
      case 2 -> "MAP_PRIVATE";
      case 3 -> "MAP_SHARED_VALIDATE";
      case 8 -> "MAP_DROPPABLE";
      default -> CallText.hex(type) + " /* MAP_??? */";
    });
    long huge = (flags & HUGE_MASK) >>> HUGE_SHIFT;
    long rest = MAP.names(flags & ~TYPE & ~HUGE_MASK, text);
    if (rest != 0) {
      text.append("|0x").append(Long.toHexString(rest));
    }
    if (huge != 0) {
      text.append('|').append(huge).append("<<MAP_HUGE_SHIFT");
    }
    return text.toString();
  }

  /** {@code MADV_...} advice. */
  static String advice(long word) {
    long advice = word & 0xffffffffL;
    return advice < ADVICE.length && ADVICE[(int) advice] != null
        ? ADVICE[(int) advice]
        : CallText.hex(advice) + " /* MADV_??? */";
  }

  /** {@code MPOL_...} modes; the flags that can go with them stay a number. */
  static String policy(long word) {
    long mode = word & 0xffffffffL;
    return mode < POLICY.length ? POLICY[(int) mode] : CallText.hex(mode);
  }

  private long names(long word, StringBuilder text) {
    long rest = word;
    for (Flag flag : flags) {
      if ((rest & flag.bits) != 0) {
        if (!text.isEmpty()) {
          text.append('|');
        }
        text.append(flag.name);
        rest &= ~flag.bits;
      }
    }
    return rest;
  }

  private static String[] advice() {
    String[] names = new String[104];
    String[] low = {
      "NORMAL", "RANDOM", "SEQUENTIAL", "WILLNEED", "DONTNEED", "", "", "", "FREE", "REMOVE",
      "DONTFORK", "DOFORK", "MERGEABLE", "UNMERGEABLE", "HUGEPAGE", "NOHUGEPAGE", "DONTDUMP",
      "DODUMP", "WIPEONFORK", "KEEPONFORK", "COLD", "PAGEOUT", "POPULATE_READ",
      "POPULATE_WRITE", "DONTNEED_LOCKED", "COLLAPSE"
    };
    for (int i = 0; i < low.length; i++) {
      if (!low[i].isEmpty()) {
        names[i] = "MADV_" + low[i];
      }
    }
    names[100] = "MADV_HWPOISON";
    names[101] = "MADV_SOFT_OFFLINE";
    names[102] = "MADV_GUARD_INSTALL";
    names[103] = "MADV_GUARD_REMOVE";
    return names;
  }
}
