// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.device.DeviceRig.START;
import static io.faultline.core.device.DeviceRig.operations;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.mm.Access;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GuardCostTest {
  private static final int CALLS = 200_000;

  private final DeviceRig rig = new DeviceRig();

  @AfterEach
  void close() {
    rig.close();
  }

  @Test
  void aFaultThatTheDriverAnswersAllocatesNothing() throws Exception {
    Area area = rig.mapped("hole", new VmOperations() {
      @Override
      public Nopage nopage(Vma vma, long address, Access access) {
        return Nopage.SIGBUS;
      }
    });
    AreaOperations operations = operations(area);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    fault(operations, area);

    // The least of several runs: a compilation may allocate on this thread too.
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 5; run++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      fault(operations, area);
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }

    assertThat(least).as("bytes for " + CALLS + " faults").isLessThan(CALLS / 10);
  }

  @Test
  void callsAreCountedAndTimed() throws Exception {
    Area area = rig.mapped("slow", new VmOperations() {
      @Override
      public void close(Vma vma) {
        try {
          Thread.sleep(20);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
    });
    // While somebody traces, every call is timed.
    rig.tracer.add(event -> {
    });

    operations(area).close(area);

    CallTimes times = rig.table.times("/dev/slow").orElseThrow();
    assertThat(times.calls()).isGreaterThanOrEqualTo(3);
    assertThat(times.longestNanos()).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(20));
  }

  private static void fault(AreaOperations operations, Area area) {
    for (int i = 0; i < CALLS; i++) {
      operations.nopage(area, START, Access.READ);
    }
  }
}
