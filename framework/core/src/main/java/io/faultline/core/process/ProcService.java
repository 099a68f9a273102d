// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.mm.AddressSpace;
import io.faultline.core.proc.ClearRefs;
import io.faultline.core.proc.MachineText;
import io.faultline.core.proc.MapsText;
import io.faultline.core.proc.Pagemap;
import io.faultline.core.proc.ReclaimView;
import io.faultline.core.proc.SmapsText;
import io.faultline.core.proc.StatusText;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;

/** {@code /proc} as a service. Thread-safe. */
public final class ProcService implements Proc {
  private final MachineText machine;
  private final ReclaimView reclaim;
  /** By name. Never changed once made. */
  private final SortedMap<String, Function<Task, String>> ofTask = new TreeMap<>();
  /** By name. Never changed once made. */
  private final SortedMap<String, Supplier<String>> ofMachine = new TreeMap<>();

  /**
   * @param machine what is not about one process
   * @param reclaim knows the swap devices
   */
  public ProcService(MachineText machine, ReclaimView reclaim) {
    this.machine = machine;
    this.reclaim = reclaim;
    ofTask.put("cmdline", ProcService::cmdline);
    ofTask.put("comm", this::comm);
    ofTask.put("limits", this::limits);
    ofTask.put("maps", this::maps);
    ofTask.put("smaps", this::smaps);
    ofTask.put("smaps_rollup", this::smapsRollup);
    ofTask.put("statm", this::statm);
    ofTask.put("status", this::status);
    ofMachine.put("iomem", this::iomem);
    ofMachine.put("meminfo", this::meminfo);
    ofMachine.put("swaps", this::swaps);
    ofMachine.put("vmstat", this::vmstat);
    ofMachine.put("zoneinfo", this::zoneinfo);
  }

  @Override
  public String maps(Task task) {
    return MapsText.maps(space(task));
  }

  @Override
  public String vmFlags(Task task) {
    return MapsText.vmFlags(space(task));
  }

  @Override
  public String smaps(Task task) {
    return SmapsText.smaps(space(task), reclaim);
  }

  @Override
  public String smapsRollup(Task task) {
    return SmapsText.rollup(space(task), reclaim);
  }

  @Override
  public String status(Task task) {
    return StatusText.status(task, space(task));
  }

  @Override
  public String statm(Task task) {
    return StatusText.statm(task, space(task));
  }

  @Override
  public String limits(Task task) {
    return StatusText.limits(task);
  }

  @Override
  public String comm(Task task) {
    return StatusText.comm(task);
  }

  @Override
  public long[] pagemap(Task task, long start, int pages) {
    AddressSpace space = space(task);
    if ((start & Mman.PAGE_SIZE - 1) != 0
        || Long.compareUnsigned(start, space.profile().taskSize()) > 0) {
      throw new IllegalArgumentException(
          "start = 0x" + Long.toHexString(start) + ": give a multiple of 4096 below 0x"
              + Long.toHexString(space.profile().taskSize()));
    }
    if (pages < 0) {
      throw new IllegalArgumentException("pages = " + pages + ": give 0 or more");
    }
    return Pagemap.read(space, reclaim, start, pages);
  }

  @Override
  public void clearRefs(Task task, int what) throws ErrnoException {
    ClearRefs.clear(space(task), what);
  }

  @Override
  public String meminfo() {
    return machine.meminfo();
  }

  @Override
  public String vmstat() {
    return machine.vmstat();
  }

  @Override
  public String iomem() {
    return machine.iomem();
  }

  @Override
  public String zoneinfo() {
    return machine.zoneinfo();
  }

  @Override
  public String swaps() {
    return machine.swaps();
  }

  @Override
  public List<String> entries(Task task) {
    return List.copyOf(ofTask.keySet());
  }

  @Override
  public byte[] read(Task task, String name) throws ErrnoException {
    Function<Task, String> file = ofTask.get(name);
    if (file == null) {
      throw new ErrnoException(Errno.ENOENT, "name: /proc/PID has no " + name);
    }
    return file.apply(task).getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  public List<String> entries() {
    return List.copyOf(ofMachine.keySet());
  }

  @Override
  public byte[] read(String name) throws ErrnoException {
    Supplier<String> file = ofMachine.get(name);
    if (file == null) {
      throw new ErrnoException(Errno.ENOENT, "name: /proc has no " + name);
    }
    return file.get().getBytes(StandardCharsets.ISO_8859_1);
  }

  /** The arguments, each with a byte of zero behind it; nothing for a process that is gone. */
  private static String cmdline(Task task) {
    StringBuilder text = new StringBuilder();
    if (task instanceof TaskObject object && task.alive()) {
      for (String argument : object.commandLine().arguments()) {
        text.append(argument).append('\0');
      }
    }
    return text.toString();
  }

  private static AddressSpace space(Task task) {
    if (task instanceof TaskObject object) {
      return object.space();
    }
    throw new IllegalArgumentException("task: is not of this kernel");
  }
}
