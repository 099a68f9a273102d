// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.simple;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import org.junit.jupiter.api.Test;

/** Another version takes over both devices, and the frames that they show. */
@FaultlineTest
class SimpleUpgradeTest {
  private static final int PAGE = Mman.PAGE_SIZE;

  private static DeviceRegistration node(String name, String version) {
    return new DeviceRegistration(name, 0, 0, 1, 2000, "simple", version);
  }

  @Test
  void framesThatAreMappedUpFrontStayWhatTheyAre(BootedKernel kernel) throws Exception {
    SimpleMemory old = new SimpleMemory(kernel.pages(node("simpler", "1.0.0")));
    AutoCloseable first =
        kernel.devices().register(node("simpler", "1.0.0"), new SimpleRemap(old));
    Program program = kernel.spawn();
    long address = map(program, "/dev/simpler");
    program.poke(address + 5, "before");

    SimpleMemory next = new SimpleMemory(kernel.pages(node("simpler", "2.0.0")));
    AutoCloseable unused = kernel.devices().replace(
        first, node("simpler", "2.0.0"), new SimpleRemap(next), upgrade -> {
        });
    old.free();

    assertThat(program.peek(address + 5, 6)).isEqualTo("before");
    assertThat(program.peek(map(program, "/dev/simpler") + 5, 6)).isEqualTo("before");
    kernel.validate();
    assertThat(kernel.pages(node("simpler", "1.0.0")).allocated()).isZero();
    assertThat(kernel.pages(node("simpler", "2.0.0")).allocated())
        .isEqualTo(1 << SimpleMemory.ORDER);
    program.exit();
    next.free();
    assertThat(kernel.pages(node("simpler", "2.0.0")).allocated()).isZero();
  }

  @Test
  void framesThatWereMappedUpFrontAreMappedAgainBehindAGap(BootedKernel kernel) throws Exception {
    kernel.keptBytes(1 << 20);
    SimpleMemory old = new SimpleMemory(kernel.pages(node("simpler", "1.0.0")));
    AutoCloseable first =
        kernel.devices().register(node("simpler", "1.0.0"), new SimpleRemap(old));
    AutoCloseable other =
        kernel.devices().register(node("simplen", "1.0.0"), new SimpleNopage(old));
    Program program = kernel.spawn();
    long address = map(program, "/dev/simpler");
    long faulted = map(program, "/dev/simplen");
    program.poke(address + 5, "before");
    assertThat(program.peek(faulted + 5, 6)).isEqualTo("before");
    first.close();
    other.close();
    old.free();

    SimpleMemory next = new SimpleMemory(kernel.pages(node("simpler", "2.0.0")));
    AutoCloseable unused =
        kernel.devices().register(node("simpler", "2.0.0"), new SimpleRemap(next));
    AutoCloseable too =
        kernel.devices().register(node("simplen", "2.0.0"), new SimpleNopage(next));

    assertThat(program.peek(address + 5, 6)).isEqualTo("before");
    program.poke(address + 5, "behind");
    assertThat(program.peek(faulted + 5, 6)).as("both show the same").isEqualTo("behind");
    assertThat(kernel.problems()).isEmpty();
    assertThat(kernel.kept()).isEmpty();
    assertThat(kernel.pages(node("simpler", "2.0.0")).allocated())
        .isEqualTo(1 << SimpleMemory.ORDER);
    kernel.validate();
    program.exit();
    next.free();
    assertThat(kernel.pages(node("simpler", "2.0.0")).allocated()).isZero();
  }

  @Test
  void framesOfAVersionWhoseStateIsNotKeptAreNotMapped(BootedKernel kernel) throws Exception {
    SimpleMemory old = new SimpleMemory(kernel.pages(node("simpler", "1.0.0")));
    AutoCloseable first =
        kernel.devices().register(node("simpler", "1.0.0"), new SimpleRemap(old));
    Program program = kernel.spawn();
    long address = map(program, "/dev/simpler");
    first.close();
    SimpleMemory next = new SimpleMemory(kernel.pages(node("simpler", "2.0.0")));
    AutoCloseable unused =
        kernel.devices().register(node("simpler", "2.0.0"), new SimpleRemap(next));
    assertThatThrownBy(() -> program.peek(address, 1)).isInstanceOf(SignalException.class);
    assertThat(kernel.problems()).singleElement().asString()
        .contains("does not take over", "not this version's");
  }

  private static long map(Program program, String device) throws ErrnoException {
    return program.mmapShared(program.open(device, AccessMode.READ_WRITE), 2L * PAGE, 0);
  }
}
