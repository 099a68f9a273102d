// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.mmio;

import static io.faultline.driver.mmio.EduDevice.COMPUTING;
import static io.faultline.driver.mmio.EduDevice.DMA_COMMAND;
import static io.faultline.driver.mmio.EduDevice.DMA_COUNT;
import static io.faultline.driver.mmio.EduDevice.DMA_DESTINATION;
import static io.faultline.driver.mmio.EduDevice.DMA_SOURCE;
import static io.faultline.driver.mmio.EduDevice.FACTORIAL;
import static io.faultline.driver.mmio.EduDevice.INTERRUPT_ACKNOWLEDGE;
import static io.faultline.driver.mmio.EduDevice.INTERRUPT_AFTER_FACTORIAL;
import static io.faultline.driver.mmio.EduDevice.INTERRUPT_RAISE;
import static io.faultline.driver.mmio.EduDevice.INTERRUPT_STATUS;
import static io.faultline.driver.mmio.EduDevice.LIVENESS;
import static io.faultline.driver.mmio.EduDevice.STATUS;
import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UpgradeException;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A program that drives the device through its mapping. */
@FaultlineTest
@Timeout(600)
class EduTest {
  private static final DeviceRegistration NODE = DeviceRegistration.of("edu0");
  private static final long PAGE = Mman.PAGE_SIZE;
  private static final long DMA_OFFSET = Edu.REGISTER_PAGES * PAGE;
  private static final int DMA_PAGES = Edu.PAGES - Edu.REGISTER_PAGES;

  private final BootedKernel kernel;
  private final Program program;
  private ByHand worker = new ByHand();
  private Edu driver;
  private AutoCloseable plugged;
  private int fd;
  private long registers;
  private long dma;

  EduTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    program = kernel.spawn();
    driver = new Edu(kernel.io(NODE), kernel.memory("edu0"), worker);
    plugged = kernel.devices().register(NODE, driver);
  }

  @BeforeEach
  void map() throws ErrnoException {
    fd = program.open("/dev/edu0", AccessMode.READ_WRITE);
    registers = program.mmapShared(fd, PAGE, 0);
    dma = program.mmapShared(fd, DMA_PAGES * PAGE, DMA_OFFSET);
  }

  private int get(long register) {
    return program.memory().getInt(registers + register);
  }

  private void put(long register, int value) {
    program.memory().putInt(registers + register, value);
  }

  private int interrupts() throws ErrnoException {
    MemorySegment count = MemorySegment.ofArray(new byte[4]);
    assertThat(kernel.files().read(program.task(), fd, count)).isEqualTo(4);
    return count.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
  }

  @Test
  void itSaysWhatItIs() {
    assertThat(get(EduDevice.IDENTIFICATION)).isEqualTo(0x010000ed);
    put(EduDevice.IDENTIFICATION, 5);
    assertThat(get(EduDevice.IDENTIFICATION)).as("read-only").isEqualTo(0x010000ed);
  }

  @Test
  void livenessInverts() {
    put(LIVENESS, 0x12345678);
    assertThat(get(LIVENESS)).isEqualTo(~0x12345678);
  }

  @Test
  void theFactorialTakesItsTime() {
    put(FACTORIAL, 10);
    assertThat(get(STATUS)).isEqualTo(COMPUTING);
    put(FACTORIAL, 3);
    assertThat(worker.run()).as("what was written while it was busy is lost").isEqualTo(1);
    assertThat(get(STATUS)).isZero();
    assertThat(get(FACTORIAL)).isEqualTo(3628800);
    assertThat(get(INTERRUPT_STATUS)).as("no interrupt was asked for").isZero();
  }

  @Test
  void aFactorialThatDoesNotFitIsCutToThirtyTwoBits() {
    put(FACTORIAL, 13);
    worker.run();
    assertThat(get(FACTORIAL)).isEqualTo((int) 6227020800L);
    put(FACTORIAL, -1);
    worker.run();
    assertThat(get(FACTORIAL)).isZero();
    put(FACTORIAL, 0);
    worker.run();
    assertThat(get(FACTORIAL)).isEqualTo(1);
  }

  @Test
  void anInterruptComesWithTheFactorialIfAskedFor() throws Exception {
    put(STATUS, INTERRUPT_AFTER_FACTORIAL | COMPUTING);
    assertThat(get(STATUS)).as("that it computes is not for the program to say")
        .isEqualTo(INTERRUPT_AFTER_FACTORIAL);
    put(FACTORIAL, 5);
    assertFails(Errno.EAGAIN, this::interrupts);
    worker.run();
    assertThat(interrupts()).isEqualTo(1);
    assertThat(get(INTERRUPT_STATUS)).isEqualTo(EduDevice.FACTORIAL_DONE);
    put(INTERRUPT_ACKNOWLEDGE, EduDevice.FACTORIAL_DONE);
    assertThat(get(INTERRUPT_STATUS)).isZero();
    assertFails(Errno.EAGAIN, this::interrupts);
  }

  @Test
  void interruptsAreRaisedAndAcknowledgedByBits() throws Exception {
    put(INTERRUPT_RAISE, 0x50);
    put(INTERRUPT_RAISE, 0x05);
    assertThat(get(INTERRUPT_STATUS)).isEqualTo(0x55);
    assertThat(get(INTERRUPT_RAISE)).as("write-only").isEqualTo(-1);
    put(INTERRUPT_ACKNOWLEDGE, 0x51);
    assertThat(get(INTERRUPT_STATUS)).isEqualTo(0x04);
    assertThat(interrupts()).isEqualTo(2);
  }

  @Test
  void eachOpenFileIsToldOfEachInterrupt() throws Exception {
    put(INTERRUPT_RAISE, 1);
    Program other = kernel.spawn();
    int theirs = other.open("/dev/edu0", AccessMode.READ_ONLY);
    assertFails(Errno.EAGAIN, () -> other.read(theirs, 0, 4));
    assertThat(interrupts()).isEqualTo(1);
    put(INTERRUPT_RAISE, 1);
    assertThat(other.read(theirs, 0, 4)).isEqualTo("\u0002\u0000\u0000\u0000");
    assertFails(Errno.EINVAL, () -> other.read(theirs, 0, 8));
  }

  @Test
  void accessesOfAWidthThatItDoesNotKnowReadAsOnes() {
    assertThat(program.memory().getLong(registers)).isEqualTo(-1);
    assertThat(program.memory().getShort(registers)).isEqualTo((short) -1);
    program.memory().putLong(registers + LIVENESS + 4, 5);
    assertThat(get(STATUS)).as("FACTORIAL was not written in eights").isZero();
    program.memory().putLong(registers + DMA_SOURCE, 0x1_2345_6789L);
    assertThat(program.memory().getLong(registers + DMA_SOURCE)).isEqualTo(0x1_2345_6789L);
    assertThat(get(DMA_SOURCE)).isEqualTo(0x2345_6789);
    assertThat(get(0x44)).as("no register").isEqualTo(-1);
    assertThat(get(DmaEngine.BUFFER & PAGE - 1 | 0xff0)).isEqualTo(-1);
  }

  private void transfer(long source, long destination, long count, int command) {
    program.memory().putLong(registers + DMA_SOURCE, source);
    program.memory().putLong(registers + DMA_DESTINATION, destination);
    program.memory().putLong(registers + DMA_COUNT, count);
    put(DMA_COMMAND, DmaEngine.START | command);
  }

  @Test
  void whatGoesInByDmaComesOutByDma() throws Exception {
    program.poke(dma + 100, "through the device");
    transfer(100, DmaEngine.BUFFER + 8, 18, 0);
    assertThat(get(DMA_COMMAND)).as("busy").isEqualTo(DmaEngine.START);
    program.memory().putLong(registers + DMA_COUNT, 3);
    worker.run();
    assertThat(get(DMA_COMMAND)).isZero();
    transfer(
        DmaEngine.BUFFER + 8, 3 * PAGE - 5, 18, DmaEngine.TO_MEMORY | DmaEngine.INTERRUPT);
    worker.run();
    assertThat(program.peek(dma + 3 * PAGE - 5, 18)).isEqualTo("through the device");
    assertThat(get(INTERRUPT_STATUS)).isEqualTo(EduDevice.DMA_DONE);
    assertThat(interrupts()).as("the first transfer asked for none").isEqualTo(1);
  }

  @Test
  void aTransferThatLeavesTheBufferCopiesNothing() {
    program.poke(dma, "as it was");
    long[][] wrong = {
      {DmaEngine.BUFFER + 4090, 0, 7}, {DmaEngine.BUFFER - 1, 0, 4},
      {DmaEngine.BUFFER, DMA_PAGES * PAGE - 3, 4}, {DmaEngine.BUFFER, -1, 4},
      {DmaEngine.BUFFER, 0, -1}, {Long.MAX_VALUE, 0, 4}, {DmaEngine.BUFFER, Long.MAX_VALUE, 4}};
    for (long[] t : wrong) {
      transfer(t[0], t[1], t[2], DmaEngine.TO_MEMORY | DmaEngine.INTERRUPT);
      worker.run();
      assertThat(get(DMA_COMMAND) & DmaEngine.START).isZero();
    }
    assertThat(program.peek(dma, 9)).isEqualTo("as it was");
    assertThat(get(INTERRUPT_STATUS)).isZero();
    assertThat(kernel.problems()).isEmpty();
  }

  @Test
  void registersAndDmaMemoryCanBeMappedInOnePiece() throws Exception {
    long all = program.mmapShared(fd, Edu.PAGES * PAGE, 0);
    assertThat(program.memory().getInt(all)).isEqualTo(0x010000ed);
    program.poke(dma, "same");
    assertThat(program.peek(all + DMA_OFFSET, 4)).isEqualTo("same");
    assertFails(Errno.EINVAL, () -> program.mmapShared(fd, PAGE, Edu.PAGES * PAGE));
    assertFails(Errno.EINVAL, () -> program.mmapShared(fd, 2 * PAGE, (Edu.PAGES - 1) * PAGE));
    assertFails(Errno.EINVAL, () -> program.mmapPrivate(fd, Edu.PAGES * PAGE, 0));
  }

  private void upgrade(String version) throws Exception {
    Edu old = driver;
    worker = new ByHand();
    DeviceRegistration next = NODE.withVersion(version);
    driver = new Edu(kernel.io(next), kernel.memory("edu0"), worker);
    plugged = kernel.devices().replace(plugged, next, driver, done -> {
    });
    old.deactivate();
  }

  @Test
  void anUpgradeCarriesWhatTheDeviceIsDoing() throws Exception {
    put(LIVENESS, 7);
    put(STATUS, INTERRUPT_AFTER_FACTORIAL);
    put(INTERRUPT_RAISE, 0x10);
    put(FACTORIAL, 6);
    program.poke(dma, "moved");
    transfer(0, DmaEngine.BUFFER, 5, 0);
    ByHand before = worker;

    upgrade("1.1.0");
    before.run();

    assertThat(get(LIVENESS)).isEqualTo(~7);
    assertThat(get(STATUS)).isEqualTo(INTERRUPT_AFTER_FACTORIAL | COMPUTING);
    assertThat(get(DMA_COMMAND)).isEqualTo(DmaEngine.START);
    assertThat(worker.run()).isEqualTo(2);
    assertThat(get(FACTORIAL)).isEqualTo(720);
    assertThat(get(INTERRUPT_STATUS)).isEqualTo(0x11);
    assertThat(interrupts()).isEqualTo(2);
    transfer(DmaEngine.BUFFER, PAGE, 5, DmaEngine.TO_MEMORY);
    worker.run();
    assertThat(program.peek(dma + PAGE, 5)).isEqualTo("moved");
    kernel.validate();
  }

  @Test
  void workGoesOnWhenAnUpgradeWasRefused() throws Exception {
    put(FACTORIAL, 6);
    DeviceRegistration next = NODE.withVersion("1.1.0");
    Edu mute = new Edu(
        kernel.io(NODE.withVersion("1.2.0")), kernel.memory("edu0"), new ByHand());
    try {
      plugged = kernel.devices().replace(plugged, next, mute, done -> {
      });
    } catch (UpgradeException expected) {
      assertThat(expected).hasMessageContaining("IoMemory.region");
    }
    worker.run();
    assertThat(get(STATUS)).isEqualTo(COMPUTING);
    worker.run();
    assertThat(get(FACTORIAL)).isEqualTo(720);
  }

  @Test
  void whatIsMappedIsThereAgainWhenTheDriverIs() throws Exception {
    kernel.keptBytes(1 << 20);
    put(LIVENESS, 1);
    program.poke(dma, "kept");
    long mine = program.mmapPrivate(fd, PAGE, DMA_OFFSET);
    plugged.close();
    driver.deactivate();
    assertSigbus(registers, () -> get(0));

    worker = new ByHand();
    driver = new Edu(kernel.io(NODE), kernel.memory("edu0"), worker);
    plugged = kernel.devices().register(NODE, driver);

    assertThat(get(EduDevice.IDENTIFICATION)).isEqualTo(0x010000ed);
    assertThat(get(LIVENESS)).isEqualTo(~1);
    assertThat(program.peek(dma, 4)).isEqualTo("kept");
    assertThat(program.peek(mine, 4)).isEqualTo("kept");
    kernel.validate();
  }

  @Test
  void itHasOneThreadThatEndsWithIt() throws Exception {
    plugged.close();
    driver.deactivate();
    Edu real = new Edu(kernel.io(NODE), kernel.memory("edu0"));
    plugged = kernel.devices().register(NODE, real);
    put(FACTORIAL, 12);
    while ((get(STATUS) & COMPUTING) != 0) {
      Thread.onSpinWait();
    }
    assertThat(get(FACTORIAL)).isEqualTo(479001600);
    List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("edu0")).toList();
    assertThat(threads).hasSize(1);
    plugged.close();
    real.deactivate();
    // Its work is over, and the last steps of a thread take a moment.
    assertThat(threads.getFirst().join(Duration.ofMinutes(3))).isTrue();
  }
}
