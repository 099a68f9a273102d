// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.fault.FaultStatistics;
import io.faultline.core.fault.PageFaultHandler;
import io.faultline.core.fault.Populate;
import io.faultline.kernel.FaultCounts;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.FaultRecord;
import io.faultline.kernel.FaultResult;
import io.faultline.kernel.Task;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import java.util.List;
import java.util.Map;

/** The fault dispatcher as a service. Thread-safe. */
public final class Dispatcher implements FaultDispatcher {
  private final PageFaultHandler faults;
  private final Populate populate;
  private final FaultStatistics statistics;

  public Dispatcher(PageFaultHandler faults, Populate populate, FaultStatistics statistics) {
    this.faults = faults;
    this.populate = populate;
    this.statistics = statistics;
  }

  @Override
  public FaultResult handle(Task task, long address, Access access) {
    if (task instanceof TaskObject object) {
      return faults.handle(object.space(), address, access);
    }
    return FaultResult.refused(
        new Siginfo(SignalCode.SEGV_MAPERR, address, "task: is not of this kernel"));
  }

  @Override
  public void populate(Task task, long address, long length, boolean write)
      throws ErrnoException {
    if ((address & (Mman.PAGE_SIZE - 1)) != 0) {
      throw new ErrnoException(Errno.EINVAL, "address: is not a multiple of 4096");
    }
    long end = address + ((length + Mman.PAGE_SIZE - 1) & -Mman.PAGE_SIZE);
    if (length < 0 || end < address) {
      throw new ErrnoException(Errno.EINVAL, "length: the range wraps around");
    }
    populate.advise(TaskTable.of(task).space(), address, end, write);
  }

  @Override
  public FaultCounts counts() {
    return statistics.counts();
  }

  @Override
  public FaultCounts counts(Task task) {
    return statistics.counts(task.pid());
  }

  @Override
  public Map<String, FaultCounts> countsByDevice() {
    return statistics.countsByDevice();
  }

  @Override
  public List<FaultRecord> recent(int atMost) {
    return statistics.recent(atMost);
  }
}
