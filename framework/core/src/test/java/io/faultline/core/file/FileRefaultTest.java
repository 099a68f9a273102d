// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.file;

import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pages of files that leave memory and come back. */
@Timeout(600)
class FileRefaultTest {
  private static final int FRAMES = 512;

  private final StoredFiles disk = new StoredFiles();
  private final Kernel kernel =
      new Kernel(FRAMES * PAGE_SIZE, KernelProfile.LINUX_6_18, DriverLog.NONE);
  private Task task;
  private UserMemory memory;

  @BeforeEach
  void mount() {
    kernel.devices().mount("/disk", DeviceRegistration.of("stored"), disk);
    task = kernel.tasks().spawn("reader");
    memory = task.newCpu();
  }

  @AfterEach
  void allIsGivenBack() {
    kernel.tasks().list().forEach(one -> kernel.tasks().exit(one, 0));
    kernel.validate();
    kernel.close();
  }

  private long map(String name, int pages, int protection) throws ErrnoException {
    byte[] content = disk.add(name, pages * PAGE_SIZE).bytes;
    for (int i = 0; i < pages; i++) {
      content[i * (int) PAGE_SIZE] = (byte) i;
    }
    int fd = kernel.files().open(task, "/disk/" + name, AccessMode.READ_WRITE);
    return kernel.calls().mmap(task, 0, pages * PAGE_SIZE, protection, MAP_SHARED, fd, 0);
  }

  private void read(long base, int pages) {
    for (int i = 0; i < pages; i++) {
      assertThat(memory.getByte(base + i * PAGE_SIZE)).as("page %d", i).isEqualTo((byte) i);
    }
  }

  private long counted(String name) {
    return kernel.proc().vmstat().lines().filter(line -> line.startsWith(name + " "))
        .mapToLong(line -> Long.parseLong(line.substring(name.length() + 1))).findAny()
        .orElseThrow();
  }

  @Test
  void aFileThatIsReadOnceRefaultsNothing() throws Exception {
    long base = map("long", 8 * FRAMES, PROT_READ);
    read(base, 8 * FRAMES);
    assertThat(counted("pgsteal_file")).isGreaterThan(6 * FRAMES);
    assertThat(counted("workingset_refault_file")).isZero();
    kernel.validate();
  }

  @Test
  void pagesThatComeBackSoonAreRefaultsAndBecomeActive() throws Exception {
    int pages = FRAMES * 5 / 4;
    long base = map("loop", pages, PROT_READ);
    for (int round = 0; round < 3; round++) {
      read(base, pages);
    }
    assertThat(counted("workingset_refault_file")).isPositive();
    assertThat(counted("workingset_activate_file"))
        .isEqualTo(counted("workingset_refault_file"));
    kernel.validate();
  }

  @Test
  void whatWasStoredIntoMoreThanMemoryHoldsIsReadBackAndReachesTheFile() throws Exception {
    int pages = 3 * FRAMES;
    long base = map("dirty", pages, PROT_READ | PROT_WRITE);
    for (int i = 0; i < pages; i++) {
      memory.putLong(base + i * PAGE_SIZE + 64, i * 31L);
    }
    kernel.validate();
    for (int i = 0; i < pages; i++) {
      assertThat(memory.getLong(base + i * PAGE_SIZE + 64)).as("page %d", i).isEqualTo(i * 31L);
    }
    kernel.calls().munmap(task, base, pages * PAGE_SIZE);
    kernel.validate();
  }
}
