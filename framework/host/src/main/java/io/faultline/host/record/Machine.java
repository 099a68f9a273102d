// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.Launch;
import io.faultline.host.ptrace.ProcFiles;
import io.faultline.host.ptrace.RemoteSyscalls;
import io.faultline.host.ptrace.TracedProcess;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** The facts of this machine and of one process that decide what memory calls do: {@code meta.json}. */
final class Machine {
  private static final String HUGE = "/sys/kernel/mm/transparent_hugepage/";

  private static final List<String> SYSCTLS = List.of("mmap_min_addr", "max_map_count",
      "overcommit_memory", "overcommit_ratio", "overcommit_kbytes", "legacy_va_layout",
      "admin_reserve_kbytes", "user_reserve_kbytes", "nr_hugepages", "nr_overcommit_hugepages",
      "memfd_noexec");

  private static final List<String> OPTIONS = List.of("MEM_SOFT_DIRTY", "ANON_VMA_NAME",
      "MSEAL_SYSTEM_MAPPINGS", "X86_USER_SHADOW_STACK", "KSM", "USERFAULTFD", "NUMA",
      "PER_VMA_LOCK", "READ_ONLY_THP_FOR_FS", "COMPAT_BRK");

  private static final int CAP_IPC_LOCK = 14;
  private static final int CAP_SYS_RAWIO = 17;
  private static final int CAP_SYS_ADMIN = 21;
  private static final int CAP_SYS_RESOURCE = 24;

  private static final long TASK_SIZE = 0x7ffffffff000L;
  private static final long PAGE = 4096;
  private static final long SMALLEST_GAP = 128L << 20;
  private static final long LARGEST_GAP = TASK_SIZE / 6 * 5;
  private static final long DEFAULT_LOWEST = 65536;
  private static final int DEFAULT_STACK_GAP = 256;
  private static final int NO_FD = -1;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private static final int RLIMIT_DATA = 2;
  private static final int RLIMIT_STACK = 3;
  private static final int RLIMIT_MEMLOCK = 8;
  private static final int RLIMIT_AS = 9;

  private final long lowestAddress;

  private Machine(long lowestAddress) {
    this.lowestAddress = lowestAddress;
  }

  /**
   * Finds out what no file tells.
   *
   * @param calls makes calls in a process that is about to be replaced
   */
  static Machine probe(RemoteSyscalls calls) throws HostException {
    // The kernel rounds a hint up to the lowest address that it would ever choose.
    long at = calls.call(
        SyscallNumber.MMAP, PAGE, PAGE, 0, MAP_PRIVATE_ANONYMOUS, NO_FD, 0);
    boolean honoured = at > 0 && at <= 1L << 30;
    if (at > 0) {
      calls.call(SyscallNumber.MUNMAP, at, PAGE);
    }
    return new Machine(honoured ? at : DEFAULT_LOWEST);
  }

  /** Everything of {@code meta.json}. */
  Map<String, Object> describe(LinuxCalls calls, TracedProcess process, List<String> command)
      throws HostException {
    Map<String, Object> meta = new LinkedHashMap<>();
    meta.put("format", "vmrec-1");
    meta.put("kernel", calls.kernelRelease());
    meta.put("arch", "x86_64");
    meta.put("page_size", PAGE);
    meta.put("argv", command);
    meta.put("thp_enabled", text(HUGE + "enabled", "always madvise [never]"));
    meta.put("thp_defrag", text(HUGE + "defrag", ""));
    meta.put("thp_shmem_enabled", text(HUGE + "shmem_enabled", ""));
    meta.put("thp_2048kB_enabled", text(HUGE + "hugepages-2048kB/enabled", ""));
    for (String name : SYSCTLS) {
      meta.put("vm." + name, text("/proc/sys/vm/" + name, "0"));
    }
    meta.put("lsm_mmap_min_addr", lowestAddress);
    meta.put("stack_guard_gap_pages", stackGap());
    meta.put("config", config());
    meta.put("cpu_pku", text("/proc/cpuinfo", "").contains(" ospke"));
    meta.put("mem_total_kb", field(text("/proc/meminfo", ""), "MemTotal:"));
    meta.put("swap_total_kb", field(text("/proc/meminfo", ""), "SwapTotal:"));
    long stack = limit(calls, process.pid(), RLIMIT_STACK, 0);
    meta.put("rlimits", limits(calls, process.pid()));
    meta.put("personality", process.proc().read("personality").strip());
    String status = process.proc().status();
    meta.put("uid", field(status, "Uid:"));
    String capabilities = word(status, "CapEff:");
    long bits = Long.parseUnsignedLong(capabilities, 16);
    meta.put("cap_eff", capabilities);
    meta.put("cap_ipc_lock", has(bits, CAP_IPC_LOCK));
    meta.put("cap_sys_rawio", has(bits, CAP_SYS_RAWIO));
    meta.put("cap_sys_admin", has(bits, CAP_SYS_ADMIN));
    meta.put("cap_sys_resource", has(bits, CAP_SYS_RESOURCE));
    meta.put("mm", layout(process.proc(), stack));
    meta.put("end", true);
    return meta;
  }

  /** Whether a process has its addresses without randomization. */
  static boolean addressesFixed(ProcFiles proc) throws HostException {
    long personality = Long.parseLong(proc.read("personality").strip(), 16);
    return (personality & Launch.NO_RANDOMIZATION) != 0;
  }

  private static Map<String, Object> layout(ProcFiles proc, long stackLimit)
      throws HostException {
    String stat = proc.read("stat");
    // The second field is a name in parentheses and may hold anything.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    Map<String, Object> mm = new LinkedHashMap<>();
    mm.put("start_code", address(fields, 26));
    mm.put("end_code", address(fields, 27));
    mm.put("start_stack", address(fields, 28));
    mm.put("start_data", address(fields, 45));
    mm.put("end_data", address(fields, 46));
    mm.put("start_brk", address(fields, 47));
    mm.put("arg_start", address(fields, 48));
    mm.put("arg_end", address(fields, 49));
    mm.put("env_start", address(fields, 50));
    mm.put("env_end", address(fields, 51));
    mm.put("mmap_base", "0x" + Long.toHexString(mmapBase(stackLimit)));
    mm.put("task_size", "0x" + Long.toHexString(TASK_SIZE));
    return mm;
  }

  private static String address(String[] fields, int number) {
    // proc_pid_stat(5) counts from 1, and two fields were cut off in front.
    return "0x" + Long.toHexString(Long.parseUnsignedLong(fields[number - 3]));
  }

  /** {@code mmap_base()} of arch/x86/mm/mmap.c, without randomization. */
  private static long mmapBase(long stackLimit) {
    long pad = stackGap() * PAGE;
    long gap = stackLimit;
    if (Long.compareUnsigned(gap + pad, gap) > 0) {
      gap += pad;
    }
    if (Long.compareUnsigned(gap, SMALLEST_GAP) < 0) {
      gap = SMALLEST_GAP;
    } else if (Long.compareUnsigned(gap, LARGEST_GAP) > 0) {
      gap = LARGEST_GAP;
    }
    return (TASK_SIZE - gap + PAGE - 1) & -PAGE;
  }

  private static Map<String, Object> limits(LinuxCalls calls, int pid) throws HostException {
    Map<String, Object> limits = new LinkedHashMap<>();
    int[] resources = {RLIMIT_STACK, RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK};
    String[] names = {"stack", "as", "data", "memlock"};
    for (int i = 0; i < names.length; i++) {
      Map<String, Object> pair = new LinkedHashMap<>();
      pair.put("cur", limitValue(limit(calls, pid, resources[i], 0)));
      pair.put("max", limitValue(limit(calls, pid, resources[i], 1)));
      limits.put(names[i], pair);
    }
    return limits;
  }

  private static Object limitValue(long value) {
    return value == -1 ? "unlimited" : value;
  }

  /** A limit of a process: the soft one (0) or the hard one (1). */
  static long limit(LinuxCalls calls, int pid, int resource, int which) throws HostException {
    MemorySegment pair = calls.allocate(2 * Long.BYTES);
    long result =
        calls.call(SyscallNumber.PRLIMIT64, pid, resource, 0, pair.address());
    if (result < 0) {
      throw new HostException("prlimit64 of process " + pid + " failed", (int) -result);
    }
    return pair.getAtIndex(ValueLayout.JAVA_LONG, which);
  }

  private static Map<String, Object> config() {
    Map<String, Object> options = new LinkedHashMap<>();
    Path file = Path.of("/proc/config.gz");
    if (!Files.isReadable(file)) {
      return options;
    }
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      String text = "\n" + new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
      for (String option : OPTIONS) {
        options.put(option, text.contains("\nCONFIG_" + option + "=y\n"));
      }
    } catch (IOException e) {
      options.clear();
    }
    return options;
  }

  private static long stackGap() {
    String key = "stack_guard_gap=";
    for (String word : text("/proc/cmdline", "").split("\\s+")) {
      if (word.startsWith(key)) {
        try {
          return Long.parseLong(word.substring(key.length()));
        } catch (NumberFormatException e) {
          break;
        }
      }
    }
    return DEFAULT_STACK_GAP;
  }

  private static boolean has(long capabilities, int capability) {
    return (capabilities >>> capability & 1) != 0;
  }

  private static long field(String text, String name) {
    String word = word(text, name);
    return word.isEmpty() ? 0 : Long.parseLong(word);
  }

  private static String word(String text, String name) {
    for (String line : text.split("\n")) {
      if (line.startsWith(name)) {
        return new ArrayList<>(List.of(line.substring(name.length()).strip().split("\\s+")))
            .getFirst();
      }
    }
    return "";
  }

  private static String text(String file, String otherwise) {
    // In large pieces: a sysctl gives all of itself to the first read and nothing to a second one.
    byte[] piece = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      StringBuilder text = new StringBuilder();
      for (int read = in.read(piece); read > 0; read = in.read(piece)) {
        text.append(new String(piece, 0, read, StandardCharsets.ISO_8859_1));
      }
      return text.toString().strip();
    } catch (IOException e) {
      return otherwise;
    }
  }
}
