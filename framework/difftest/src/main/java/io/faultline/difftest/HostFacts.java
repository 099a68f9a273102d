// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.host.linux.HostException;
import io.faultline.host.ptrace.ProcFiles;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.KernelProfile.Overcommit;
import io.faultline.kernel.KernelProfile.TransparentHugePages;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import io.faultline.replay.recording.Meta;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** The facts of this machine and of a process just after its {@code execve}, as a recording's meta. */
final class HostFacts {
  /** {@code CONFIG_LSM_MMAP_MIN_ADDR}, everywhere. */
  private static final long LSM_MMAP_MIN_ADDR = 65536;
  private static final long TASK_SIZE = 0x7fff_ffff_f000L;
  private static final int GUARD_GAP_PAGES = 256;
  private static final int CAP_IPC_LOCK = 14;
  private static final int CAP_SYS_RAWIO = 17;
  private static final int CAP_SYS_ADMIN = 21;
  private static final int CAP_SYS_RESOURCE = 24;

  private HostFacts() {}

  /** Reads them. */
  static Meta of(ProcFiles proc, String release, Variant variant) throws HostException {
    String status = proc.status();
    long capabilities = Long.parseUnsignedLong(field(status, "CapEff:"), 16);
    Limits limits = limits(proc.read("limits"));
    return new Meta(
        List.of("target"),
        profile(release),
        layout(proc.read("stat"), limits, variant),
        limits,
        new Credentials(
            Integer.parseInt(field(status, "Uid:")),
            has(capabilities, CAP_IPC_LOCK),
            has(capabilities, CAP_SYS_RAWIO),
            has(capabilities, CAP_SYS_RESOURCE),
            has(capabilities, CAP_SYS_ADMIN)));
  }

  private static KernelProfile profile(String release) throws HostException {
    String memory = text("/proc/meminfo");
    long least = number("/proc/sys/vm/mmap_min_addr");
    String huge = text("/sys/kernel/mm/transparent_hugepage/enabled");
    TransparentHugePages setting = TransparentHugePages.NEVER;
    for (TransparentHugePages choice : TransparentHugePages.values()) {
      if (huge.contains("[" + choice.name().toLowerCase(Locale.ROOT) + "]")) {
        setting = choice;
      }
    }
    return new KernelProfile(
        "linux-" + release,
        TASK_SIZE,
        least,
        Math.max(least, LSM_MMAP_MIN_ADDR),
        GUARD_GAP_PAGES,
        (int) number("/proc/sys/vm/max_map_count"),
        Long.parseLong(field(memory, "MemTotal:")) * 1024,
        Long.parseLong(field(memory, "SwapTotal:")) * 1024,
        Overcommit.values()[(int) number("/proc/sys/vm/overcommit_memory")],
        (int) number("/proc/sys/vm/overcommit_ratio"),
        setting,
        text("/proc/cpuinfo").contains(" ospke"),
        Long.parseLong(field(memory, "HugePages_Free:")));
  }

  private static MmLayout layout(String stat, Limits limits, Variant variant) {
    // Behind the command's name, which may hold blanks: field 3 is the first.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    // mmap_base of arch/x86/mm/mmap.c, without randomisation.
    long gap = variant.wideStack() ? Long.MAX_VALUE / 2 : limits.stack();
    gap += GUARD_GAP_PAGES * 4096L;
    gap = Math.clamp(gap, 128L << 20, TASK_SIZE / 6 * 5);
    return new MmLayout(
        Long.parseLong(fields[47 - 3]),
        Long.parseLong(fields[28 - 3]),
        Long.parseLong(fields[45 - 3]),
        Long.parseLong(fields[46 - 3]),
        variant.legacyLayout()
            ? (TASK_SIZE / 3 + 4095) & -4096L
            : (TASK_SIZE - gap + 4095) & -4096L,
        variant.legacyLayout());
  }

  private static Limits limits(String text) {
    return new Limits(limit(text, "Max stack size"), limit(text, "Max address space"),
        limit(text, "Max data size"), limit(text, "Max locked memory"),
        Limits.UNLIMITED);
  }

  private static long limit(String text, String name) {
    String soft = field(text, name);
    return soft.equals("unlimited") ? Limits.UNLIMITED : Long.parseLong(soft);
  }

  /** The word behind a name. */
  private static String field(String text, String name) {
    int at = text.indexOf(name);
    if (at < 0) {
      return "0";
    }
    return text.substring(at + name.length()).strip().split("\\s+", 2)[0];
  }

  private static boolean has(long capabilities, int number) {
    return (capabilities >>> number & 1) != 0;
  }

  private static long number(String file) throws HostException {
    return Long.parseLong(text(file).strip());
  }

  private static String text(String file) throws HostException {
    // Sysctls answer the first read alone, so that it has to be a large one.
    byte[] bytes = new byte[1 << 16];
    try (InputStream in = new FileInputStream(file)) {
      int length = Math.max(0, in.read(bytes));
      return new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new HostException(file + ": " + e);
    }
  }
}
