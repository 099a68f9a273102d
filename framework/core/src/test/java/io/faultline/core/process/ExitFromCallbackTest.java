// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_POPULATE;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.mm.Access;
import io.faultline.mm.Nopage;
import io.faultline.mm.Signal;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A process whose end is asked for by a callback that holds its lock. */
class ExitFromCallbackTest {
  private final Kernel kernel = new Kernel(16 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
  private final List<String> calls = new ArrayList<>();

  /** Kills the process whose page it is asked for. */
  private final class Killer implements MmapProvider, VmOperations {
    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(this);
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      kernel.tasks().kill(kernel.tasks().find(vma.pid()).orElseThrow(), Signal.SIGKILL);
      calls.add("killed");
      return Nopage.SIGBUS;
    }

    @Override
    public void close(Vma vma) {
      calls.add("close");
    }
  }

  @Test
  void aProcessKilledFromItsOwnFaultGivesBackAllItsMemory() throws Exception {
    try (AutoCloseable driver =
        kernel.devices().register(DeviceRegistration.of("killer"), new Killer())) {
      long before = kernel.frames().used();
      Task task = kernel.tasks().spawn("victim");
      kernel.calls().mmap(
          task, 0, 64 * PAGE_SIZE, PROT_READ | PROT_WRITE,
          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
      int fd = kernel.files().open(task, "/dev/killer", AccessMode.READ_WRITE);
      long mapped =
          kernel.calls().mmap(task, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

      assertThatThrownBy(() -> task.newCpu().getByte(mapped))
          .isInstanceOf(SignalException.class);

      assertThat(calls).containsExactly("killed", "close");
      assertThat(task.alive()).isFalse();
      assertThat(kernel.frames().used()).isEqualTo(before);
      kernel.validate();
    } finally {
      kernel.close();
    }
  }
}
