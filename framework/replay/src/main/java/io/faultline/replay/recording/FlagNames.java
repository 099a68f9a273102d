// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import static java.util.Map.entry;

import io.faultline.mm.Mman;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * One family of constants, by the names that strace prints. A word is names and numbers joined with
 * {@code |}; what strace has no name for comes as a number, sometimes with a comment behind it.
 */
public final class FlagNames {
  /** {@code PROT_…}. */
  public static final FlagNames PROT =
      new FlagNames(
          "PROT_… flags",
          Map.of(
              "PROT_NONE", Mman.PROT_NONE,
              "PROT_READ", Mman.PROT_READ,
              "PROT_WRITE", Mman.PROT_WRITE,
              "PROT_EXEC", Mman.PROT_EXEC,
              "PROT_SEM", Mman.PROT_SEM,
              "PROT_GROWSDOWN", Mman.PROT_GROWSDOWN,
              "PROT_GROWSUP", Mman.PROT_GROWSUP));

  /** {@code MAP_…}. */
  public static final FlagNames MAP =
      new FlagNames(
          "MAP_… flags",
          Map.ofEntries(
              entry("MAP_SHARED", Mman.MAP_SHARED),
              entry("MAP_PRIVATE", Mman.MAP_PRIVATE),
              entry("MAP_SHARED_VALIDATE", Mman.MAP_SHARED_VALIDATE),
              entry("MAP_DROPPABLE", Mman.MAP_DROPPABLE),
              entry("MAP_FIXED", Mman.MAP_FIXED),
              entry("MAP_ANONYMOUS", Mman.MAP_ANONYMOUS),
              entry("MAP_32BIT", Mman.MAP_32BIT),
              entry("MAP_GROWSDOWN", Mman.MAP_GROWSDOWN),
              entry("MAP_DENYWRITE", Mman.MAP_DENYWRITE),
              entry("MAP_EXECUTABLE", Mman.MAP_EXECUTABLE),
              entry("MAP_LOCKED", Mman.MAP_LOCKED),
              entry("MAP_NORESERVE", Mman.MAP_NORESERVE),
              entry("MAP_POPULATE", Mman.MAP_POPULATE),
              entry("MAP_NONBLOCK", Mman.MAP_NONBLOCK),
              entry("MAP_STACK", Mman.MAP_STACK),
              entry("MAP_HUGETLB", Mman.MAP_HUGETLB),
              entry("MAP_SYNC", Mman.MAP_SYNC),
              entry("MAP_FIXED_NOREPLACE", Mman.MAP_FIXED_NOREPLACE)));

  /** {@code MREMAP_…}. */
  public static final FlagNames MREMAP =
      new FlagNames(
          "MREMAP_… flags",
          Map.of(
              "MREMAP_MAYMOVE", Mman.MREMAP_MAYMOVE,
              "MREMAP_FIXED", Mman.MREMAP_FIXED,
              "MREMAP_DONTUNMAP", Mman.MREMAP_DONTUNMAP));

  /** {@code MCL_…}. */
  public static final FlagNames MCL =
      new FlagNames(
          "MCL_… flags",
          Map.of(
              "MCL_CURRENT", Mman.MCL_CURRENT,
              "MCL_FUTURE", Mman.MCL_FUTURE,
              "MCL_ONFAULT", Mman.MCL_ONFAULT));

  /** {@code MLOCK_…}. */
  public static final FlagNames MLOCK =
      new FlagNames("MLOCK_… flags", Map.of("MLOCK_ONFAULT", Mman.MLOCK_ONFAULT));

  /** {@code MS_…}. */
  public static final FlagNames MS =
      new FlagNames(
          "MS_… flags",
          Map.of(
              "MS_ASYNC", Mman.MS_ASYNC,
              "MS_INVALIDATE", Mman.MS_INVALIDATE,
              "MS_SYNC", Mman.MS_SYNC));

  /** {@code MADV_…}. */
  public static final FlagNames MADV =
      new FlagNames(
          "MADV_… advice",
          Map.ofEntries(
              entry("MADV_NORMAL", Mman.MADV_NORMAL),
              entry("MADV_RANDOM", Mman.MADV_RANDOM),
              entry("MADV_SEQUENTIAL", Mman.MADV_SEQUENTIAL),
              entry("MADV_WILLNEED", Mman.MADV_WILLNEED),
              entry("MADV_DONTNEED", Mman.MADV_DONTNEED),
              entry("MADV_FREE", Mman.MADV_FREE),
              entry("MADV_REMOVE", Mman.MADV_REMOVE),
              entry("MADV_DONTFORK", Mman.MADV_DONTFORK),
              entry("MADV_DOFORK", Mman.MADV_DOFORK),
              entry("MADV_MERGEABLE", Mman.MADV_MERGEABLE),
              entry("MADV_UNMERGEABLE", Mman.MADV_UNMERGEABLE),
              entry("MADV_HUGEPAGE", Mman.MADV_HUGEPAGE),
              entry("MADV_NOHUGEPAGE", Mman.MADV_NOHUGEPAGE),
              entry("MADV_DONTDUMP", Mman.MADV_DONTDUMP),
              entry("MADV_DODUMP", Mman.MADV_DODUMP),
              entry("MADV_WIPEONFORK", Mman.MADV_WIPEONFORK),
              entry("MADV_KEEPONFORK", Mman.MADV_KEEPONFORK),
              entry("MADV_COLD", Mman.MADV_COLD),
              entry("MADV_PAGEOUT", Mman.MADV_PAGEOUT),
              entry("MADV_POPULATE_READ", Mman.MADV_POPULATE_READ),
              entry("MADV_POPULATE_WRITE", Mman.MADV_POPULATE_WRITE),
              entry("MADV_DONTNEED_LOCKED", Mman.MADV_DONTNEED_LOCKED),
              entry("MADV_COLLAPSE", Mman.MADV_COLLAPSE),
              entry("MADV_HWPOISON", Mman.MADV_HWPOISON),
              entry("MADV_SOFT_OFFLINE", Mman.MADV_SOFT_OFFLINE),
              entry("MADV_GUARD_INSTALL", Mman.MADV_GUARD_INSTALL),
              entry("MADV_GUARD_REMOVE", Mman.MADV_GUARD_REMOVE)));

  /** {@code SHM_…}. */
  public static final FlagNames SHM =
      new FlagNames(
          "SHM_… flags",
          Map.of(
              "SHM_RDONLY", Mman.SHM_RDONLY,
              "SHM_RND", Mman.SHM_RND,
              "SHM_REMAP", Mman.SHM_REMAP,
              "SHM_EXEC", Mman.SHM_EXEC));

  /** {@code PKEY_…}. */
  public static final FlagNames PKEY =
      new FlagNames("PKEY_… rights", Map.of("PKEY_DISABLE_ACCESS", 1, "PKEY_DISABLE_WRITE", 2));

  /** {@code MPOL_…}. */
  public static final FlagNames MPOL =
      new FlagNames(
          "an MPOL_… mode",
          Map.of(
              "MPOL_DEFAULT", 0,
              "MPOL_PREFERRED", 1,
              "MPOL_BIND", 2,
              "MPOL_INTERLEAVE", 3,
              "MPOL_LOCAL", 4,
              "MPOL_PREFERRED_MANY", 5,
              "MPOL_WEIGHTED_INTERLEAVE", 6,
              "MPOL_F_NUMA_BALANCING", 1 << 13,
              "MPOL_F_RELATIVE_NODES", 1 << 14,
              "MPOL_F_STATIC_NODES", 1 << 15));

  /** {@code MPOL_MF_…}. */
  public static final FlagNames MPOL_MF =
      new FlagNames(
          "MPOL_MF_… flags",
          Map.of("MPOL_MF_STRICT", 1, "MPOL_MF_MOVE", 2, "MPOL_MF_MOVE_ALL", 4));

  private static final String HUGE_SHIFT = "<<MAP_HUGE_SHIFT";

  private final String what;
  private final Map<String, Integer> values;

  private FlagNames(String what, Map<String, Integer> values) {
    this.what = what;
    this.values = values;
  }

  /**
   * Prints a word so that {@link #read} reads it: names joined with {@code |}, the rest as a number.
   */
  public String text(int word) {
    StringJoiner text = new StringJoiner("|");
    int rest = word;
    if (this == MAP) {
      // The low four bits are no flags but a type.
      int type = word & Mman.MAP_TYPE;
      text.add(name(type).orElse("0x" + Integer.toHexString(type)));
      rest &= ~Mman.MAP_TYPE;
    } else if (name(word).isPresent()) {
      return name(word).get();
    } else if (this == MADV) {
      return Integer.toString(word);
    }
    for (int bit = 1; bit != 0; bit <<= 1) {
      Optional<String> name = (rest & bit) == 0 ? Optional.empty() : name(bit);
      if (name.isPresent()) {
        text.add(name.get());
        rest &= ~bit;
      }
    }
    if (rest != 0 || text.length() == 0) {
      text.add(rest == 0 ? "0" : "0x" + Integer.toHexString(rest));
    }
    return text.toString();
  }

  private Optional<String> name(int value) {
    return values.entrySet().stream().filter(e -> e.getValue() == value).map(Map.Entry::getKey)
        .findFirst();
  }

  /** Reads a word of 32 bits. */
  int read(LineScanner line) throws RecordingException {
    int word = 0;
    do {
      word |= one(line);
      if (line.skip(" /* ")) {
        while (!line.skip("*/")) {
          line.word("the end of the comment, '*/'");
          line.skipBlanks();
        }
      }
    } while (line.skip("|"));
    return word;
  }

  private int one(LineScanner line) throws RecordingException {
    char first = line.peek();
    if (first == '-' || (first >= '0' && first <= '9')) {
      long number = octal(line) ? line.digits(what, 8) : line.number(what);
      if (line.skip(HUGE_SHIFT)) {
        return (int) number << Mman.MAP_HUGE_SHIFT;
      }
      if (number != (int) number && number >>> 32 != 0) {
        throw line.wrongLine(what + " of 32 bits");
      }
      return (int) number;
    }
    String name = line.name(what);
    Integer value = values.get(name);
    if (value == null) {
      throw RecordingException.expected(line.file(), line.line(), what, name);
    }
    return value;
  }

  /** strace prints some families in octal, with a leading 0 and no x. */
  private static boolean octal(LineScanner line) {
    return line.peek() == '0' && line.peek(1) >= '0' && line.peek(1) <= '9';
  }
}
