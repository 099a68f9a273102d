// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.kernel.CoreProgress;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A core of a process whose memory does not fit into memory. */
@Timeout(600)
class SwappedCoreTest {
  private static final int FRAMES = 1024;
  private static final int PAGES = 3 * FRAMES;
  private static final long MARK = 0x5eed_0000_0000L;

  @ParameterizedTest
  @ValueSource(ints = {MAP_PRIVATE, MAP_SHARED})
  void aCoreHasWhatIsInSwap(int sharing) throws Exception {
    try (Kernel kernel =
        new Kernel(FRAMES * PAGE_SIZE, KernelProfile.LINUX_6_18, DriverLog.NONE)) {
      HeapSwapDevice device = new HeapSwapDevice("/dev/heap0", 4 * FRAMES);
      kernel.swaps().swapon(device, 5);
      Task task = kernel.tasks().spawn("hungry");
      UserMemory memory = task.newCpu();
      long base =
          kernel.calls().mmap(
              task, 0, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
      for (int i = 0; i < PAGES; i++) {
        memory.putLong(base + i * PAGE_SIZE, MARK + i);
      }
      assertThat(device.kept()).isGreaterThan(FRAMES);

      ByteArrayOutputStream core = new ByteArrayOutputStream();
      kernel.cores().dump(task, Channels.newChannel(core), CoreProgress.NONE);

      ByteBuffer bytes = ByteBuffer.wrap(core.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
      int next = 0;
      for (int at = 0; at < bytes.limit(); at += PAGE_SIZE) {
        if (bytes.getLong(at) == MARK + next) {
          next++;
        }
      }
      assertThat(next).as("pages in the core, in their order").isEqualTo(PAGES);
      kernel.validate();
    }
  }
}
