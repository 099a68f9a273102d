// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kit brings the kernel to refuse what it has begun, and sees what a driver hears of that. */
class ShortageTest {
  private Machine machine;

  @BeforeEach
  void mapEightPages() throws Exception {
    DriverCompliance kit = new PlantedBugs.Right();
    machine = new Machine(kit, Setting.tight(kit.memory()), new Facades());
    machine.fill();
    machine.areas().map(0, 0, 8, 0, true, true);
  }

  @AfterEach
  void nothingIsBroken() {
    machine.finish();
    assertThat(machine.violation()).isNull();
    machine.close();
  }

  private List<String> heard() {
    return machine.watch().takeCalls();
  }

  @Test
  void aForkThatGetsNoMemoryClosesWhatItHasOpened() {
    machine.areas().hoard(0);
    List<String> unused = heard();
    machine.scene().fork(0);
    assertThat(heard()).containsExactly("open(0-8 of process 2)", "close(0-8 of process 2)");
  }

  @Test
  void withoutRoomForAnAreaNothingIsSplitOpenedOrMapped() {
    machine.areas().scatter(0, 0);
    List<String> unused = heard();
    machine.areas().unmap(0, 3, 2);
    machine.areas().protect(0, 3, 1, false);
    machine.areas().map(0, 20, 2, 0, true, true);
    machine.areas().move(0, 2, 2, 40, 2);
    assertThat(heard()).isEmpty();
  }

  /** mmap gives one area more than a split. */
  @Test
  void withRoomForOneSplitOneIsDone() {
    machine.areas().scatter(0, 2);
    List<String> unused = heard();
    machine.areas().unmap(0, 3, 1);
    List<String> calls = heard();
    assertThat(calls).filteredOn(call -> call.startsWith("open(")).hasSize(2);
    assertThat(calls).filteredOn(call -> call.startsWith("close(")).containsExactly(
        "close(3-4 of process 1)");
    machine.areas().unmap(0, 6, 1);
    assertThat(heard()).isEmpty();
  }
}
