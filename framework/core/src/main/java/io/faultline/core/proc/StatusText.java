// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.VmAccount;
import io.faultline.core.paging.Pte;
import io.faultline.device.OpenFile;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.Limits;
import io.faultline.kernel.Task;
import io.faultline.mm.Mman;
import java.util.SortedMap;

/**
 * {@code /proc/PID/status}, {@code statm}, {@code limits} and {@code comm}. Stateless. Of status and
 * limits, the lines that have a meaning here, in Linux's order.
 */
public final class StatusText {
  /** {@code TASK_COMM_LEN} without the byte of zero. */
  private static final int COMM_CHARS = 15;
  private static final int FIRST_DESCRIPTORS = 64;
  private static final int PAGE_KIB_SHIFT = Mman.PAGE_SHIFT - 10;
  private static final int CAP_IPC_LOCK = 14;
  private static final int CAP_SYS_RAWIO = 17;
  private static final int CAP_SYS_ADMIN = 21;
  private static final int CAP_SYS_RESOURCE = 24;

  /** Pages of a space by what they are, counted once. */
  private static final class Resident {
    long anonymous;
    long file;
    long shmem;
    long swap;

    static Resident of(AddressSpace space) {
      Resident pages = new Resident();
      PhysicalMemory memory = space.memory();
      space
          .tables()
          .visit(
              0,
              space.profile().taskSize(),
              (address, entry) -> {
                pages.add(memory, entry);
                return entry;
              });
      return pages;
    }

    private void add(PhysicalMemory memory, long entry) {
      if (Pte.isSwap(entry)) {
        swap++;
      } else if (Pte.hasFrame(entry) && !Pte.isSpecial(entry)) {
        if (Pte.isAnonymous(entry)) {
          anonymous++;
        } else if (memory.use(Pte.frame(entry)) == FrameUse.SHMEM) {
          shmem++;
        } else {
          file++;
        }
      }
    }

    long total() {
      return anonymous + file + shmem;
    }
  }

  private StatusText() {}

  /** {@code /proc/PID/comm}. */
  public static String comm(Task task) {
    return name(task) + "\n";
  }

  private static String name(Task task) {
    return task.name().length() <= COMM_CHARS ? task.name()
        : task.name().substring(0, COMM_CHARS);
  }

  /** {@code /proc/PID/status}; of a process that is gone, what needs no memory. */
  public static String status(Task task, AddressSpace space) {
    TextBuilder text = new TextBuilder(1024);
    boolean alive = task.alive();
    long uid = task.credentials().uid();
    text.add("Name:\t").add(name(task).replace("\\", "\\\\").replace("\n", "\\n")).add("\n")
        .add("State:\t").add(alive ? "R (running)" : "X (dead)").add("\n")
        .add("Tgid:\t").number(task.pid(), 0).add("\n")
        .add("Pid:\t").number(task.pid(), 0).add("\n")
        .add("PPid:\t").number(task.parentPid(), 0).add("\n")
        .add("Uid:");
    for (int i = 0; i < 4; i++) {
      text.add("\t").number(uid, 0);
    }
    text.add("\nFDSize:\t").number(alive ? descriptors(task.files()) : 0, 0).add("\n")
        .add("Kthread:\t0\n");
    if (alive) {
      memory(text, space);
    }
    text.add("Threads:\t1\n");
    String capabilities = "%016x\n".formatted(capabilities(task.credentials()));
    return text.add("CapPrm:\t").add(capabilities).add("CapEff:\t").add(capabilities).toString();
  }

  /** {@code task_mem}. */
  private static void memory(TextBuilder text, AddressSpace space) {
    Resident pages = Resident.of(space);
    VmAccount account = space.account();
    long code = Math.min(space.textPages(), account.exec());
    pages(text, "VmPeak:\t", account.peak());
    pages(text, "VmSize:\t", account.total());
    pages(text, "VmLck:\t", account.locked());
    pages(text, "VmPin:\t", 0);
    pages(text, "VmHWM:\t", Math.max(space.tables().highWater(), pages.total()));
    pages(text, "VmRSS:\t", pages.total());
    pages(text, "RssAnon:\t", pages.anonymous);
    pages(text, "RssFile:\t", pages.file);
    pages(text, "RssShmem:\t", pages.shmem);
    pages(text, "VmData:\t", account.data());
    pages(text, "VmStk:\t", account.stack());
    pages(text, "VmExe:\t", code);
    pages(text, "VmLib:\t", account.exec() - code);
    pages(text, "VmPTE:\t", space.tables().tableCount());
    pages(text, "VmSwap:\t", pages.swap);
    pages(text, "HugetlbPages:\t", 0);
    text.add("CoreDumping:\t0\nTHP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\n");
  }

  private static void pages(TextBuilder text, String label, long pages) {
    text.kib(label, pages << PAGE_KIB_SHIFT);
  }

  /** How many descriptors the table has room for: it doubles. */
  private static int descriptors(SortedMap<Integer, OpenFile> files) {
    int wanted = files.isEmpty() ? 0 : files.lastKey() + 1;
    return wanted <= FIRST_DESCRIPTORS ? FIRST_DESCRIPTORS
        : Integer.highestOneBit(wanted - 1) << 1;
  }

  private static long capabilities(Credentials who) {
    return bit(who.ipcLock(), CAP_IPC_LOCK) | bit(who.rawIo(), CAP_SYS_RAWIO)
        | bit(who.admin(), CAP_SYS_ADMIN) | bit(who.resource(), CAP_SYS_RESOURCE);
  }

  private static long bit(boolean set, int number) {
    return set ? 1L << number : 0;
  }

  /** {@code /proc/PID/statm}, in pages: size, resident, shared, text, 0, data, 0. */
  public static String statm(Task task, AddressSpace space) {
    if (!task.alive()) {
      return "0 0 0 0 0 0 0\n";
    }
    Resident pages = Resident.of(space);
    VmAccount account = space.account();
    return account.total() + " " + pages.total() + " " + (pages.file + pages.shmem) + " "
        + space.textPages() + " 0 " + (account.data() + account.stack()) + " 0\n";
  }

  /** {@code /proc/PID/limits}. */
  public static String limits(Task task) {
    Limits limits = task.limits();
    TextBuilder text = new TextBuilder(512);
    limit(text, "Limit", "Soft Limit", "Hard Limit", "Units");
    limit(text, "Max data size", value(limits.data()), value(Limits.UNLIMITED), "bytes");
    limit(text, "Max stack size", value(limits.stack()), value(Limits.UNLIMITED), "bytes");
    limit(
        text, "Max locked memory", value(limits.lockedMemory()), value(Limits.UNLIMITED), "bytes");
    limit(
        text, "Max address space", value(limits.addressSpace()), value(Limits.UNLIMITED), "bytes");
    return text.toString();
  }

  private static String value(long limit) {
    return limit == Limits.UNLIMITED ? "unlimited" : Long.toUnsignedString(limit);
  }

  private static void limit(
      TextBuilder text, String name, String soft, String hard, String unit) {
    text.padded(name, 25).add(" ").padded(soft, 20).add(" ").padded(hard, 20).add(" ")
        .padded(unit, 10).add("\n");
  }
}
