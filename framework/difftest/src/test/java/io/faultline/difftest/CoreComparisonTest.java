// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.faultline.host.linux.HostException;
import io.faultline.host.ptrace.Tracer;
import io.faultline.kernel.CoreProgress;
import io.faultline.mm.ErrnoException;
import io.faultline.replay.KernelServices;
import io.faultline.testkit.ElfCore;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The cores of two processes with one history, this machine's kernel's and the engine's: every
 * segment's range, rights and number of bytes in the file, and every mapped file, must be the same.
 */
@FaultlineTest(memory = 256 << 20)
class CoreComparisonTest {
  private static final long MINUTE = 60_000_000_000L;
  private static final int STEPS = 200;

  @TempDir Path folder;

  @BeforeAll
  static void onAKernelThatDumpsIntoTheWorkingDirectory() throws IOException {
    OwnKernel.assumeItIsTheEngines("CoreComparisonTest");
    String pattern = Files.isReadable(Path.of("/proc/sys/kernel/core_pattern"))
        ? Files.readString(Path.of("/proc/sys/kernel/core_pattern")).strip()
        : "";
    if (!pattern.equals("core")) {
      System.out.println(
          "CoreComparisonTest: skipped: core_pattern is '" + pattern
              + "', not 'core'; it is not changed for a test");
    }
    assumeThat(pattern).isEqualTo("core");
  }

  /**
   * Seed, level of the history, filter. None is that of an ordinary user, who cannot be made to dump
   * from outside. No history has the bit of ELF headers: it maps files for
   * execution that are none, which Linux tells by their contents.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 0x23", "2, 2, 0x23", "4, 4, 0x23", "5, 5, 0x23", "6, 5, 0x01", "8, 5, 0x02",
    "9, 5, 0x04", "10, 5, 0x08", "12, 5, 0x6f", "13, 3, 0x2f", "14, 4, 0x2f", "16, 5, 0x2f",
  })
  void afterARandomHistoryBothCoresHaveTheSameSegmentsAndFiles(
      long seed, int level, String filter, Kernel kernel) throws Exception {
    compare(seed, level, STEPS, Integer.decode(filter), kernel);
  }

  @ParameterizedTest
  @CsvSource({"0x33", "0x10", "0x1ff", "0"})
  void aFreshProgramsCoresHaveTheSameSegmentsAndFiles(String filter, Kernel kernel)
      throws Exception {
    compare(0, 1, 0, Integer.decode(filter), kernel);
  }

  private void compare(long seed, int level, int steps, int filter, Kernel kernel)
      throws Exception {
    KernelServices services =
        new KernelServices(
            kernel.tasks(), kernel.vmas(), kernel.faults(), kernel.files(), kernel.proc(),
            kernel.pages("difftest"));
    Path real = folder.resolve("real");
    Path ours = folder.resolve("ours");
    var outcome = Tracer.onOwnThread("cores", tracer -> {
      try (Laboratory laboratory = new Laboratory(tracer, services)) {
        return laboratory.random(
            seed, level, steps, System.nanoTime() + 10 * MINUTE, comparison -> {
              try {
                var task = comparison.engine().task();
                kernel.cores().setFilter(task, filter);
                kernel.cores().dump(task, ours, CoreProgress.NONE);
                comparison.host().dumpCore(filter);
                Files.move(laboratory.directory().resolve("core"), real);
              } catch (IOException | ErrnoException e) {
                throw new HostException("cannot dump: " + e);
              }
            });
      }
    });
    assertThat(outcome.difference()).isNull();
    ElfCore expected = ElfCore.read(real);
    ElfCore got = ElfCore.read(ours);
    assertThat(got.segments()).extracting(Object::toString)
        .isEqualTo(expected.segments().stream().map(Object::toString).toList());
    assertThat(got.files()).extracting(Object::toString)
        .isEqualTo(expected.files().stream().map(Object::toString).toList());
    assertThat(expected.segments()).hasSizeGreaterThan(3);
  }
}
