// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.host.ptrace.Tracer;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;
import io.faultline.replay.KernelServices;
import io.faultline.replay.ReplayOptions;
import io.faultline.replay.ReplayResult;
import io.faultline.replay.Replayer;
import io.faultline.replay.recording.Recording;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The engine against the kernel that this test runs on. It wants the kernel that the engine is:
 * elsewhere it is skipped with one line. {@code -Ddifftest.seconds=N} makes it longer.
 */
@FaultlineTest(memory = 256 << 20)
class DifferentialRunTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long SEED = 618;

  @BeforeAll
  static void onTheKernelThatTheEngineIs() {
    OwnKernel.assumeItIsTheEngines("difftest");
  }

  private static KernelServices services(Kernel kernel) {
    return services(kernel, kernel.vmas());
  }

  private static KernelServices services(Kernel kernel, VmaService memory) {
    return new KernelServices(
        kernel.tasks(), memory, kernel.faults(), kernel.files(), kernel.proc(),
        kernel.pages("difftest"));
  }

  @Test
  void bothKernelsAgree(Kernel kernel, @TempDir Path output) throws Exception {
    long seconds = Long.getLong("difftest.seconds", 30);

    DifftestSummary summary = new DifferentialRun(
        services(kernel), new DifftestArguments(seconds * SECOND, SEED, 0, 1, output), System.out)
        .run();

    System.out.println(summary);
    assertThat(summary.divergences()).isEmpty();
    assertThat(summary.compared()).isPositive();
  }

  @Test
  void aWrongEngineIsFoundAndShrunkToARecording(Kernel kernel, @TempDir Path output)
      throws Exception {
    KernelServices wrong = services(kernel, forgetsDontdump(kernel));

    DifftestSummary summary = new DifferentialRun(
        wrong, new DifftestArguments(600 * SECOND, SEED, 2, 1, output), silent()).run();

    assertThat(summary.divergences()).hasSize(1);
    Recording recording;
    try (Stream<Path> written = Files.list(output)) {
      recording = Recording.read(written.findFirst().orElseThrow());
    }
    assertThat(recording.callsText().lines().filter(line -> !line.startsWith("@")))
        .as("execve, the stack's first touch, at most one mapping, the advice")
        .hasSizeLessThanOrEqualTo(4)
        .last().asString().contains("MADV_DONTDUMP");
    assertThat(replay(services(kernel), recording).divergences()).isEmpty();
    assertThat(replay(wrong, recording).exact()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5})
  void aHistoryOfManyKindsOfStepsIsWrittenAsItIsRead(int level, Kernel kernel, @TempDir Path output)
      throws Exception {
    KernelServices services = services(kernel);
    Path directory = output.resolve("all");
    Tracer.onOwnThread("difftest", tracer -> {
      try (Laboratory laboratory = new Laboratory(tracer, services)) {
        long never = System.nanoTime() + 600 * SECOND;
        laboratory.record(directory, laboratory.random(SEED, level, 1000, never).history(),
            Variant.of(SEED, level), level, SEED);
      }
      return directory;
    });

    ReplayResult result = replay(services, Recording.read(directory));

    assertThat(result.divergences()).isEmpty();
    assertThat(result.exact()).isTrue();
    assertThat(result.scored()).isGreaterThan(800);
  }

  private static ReplayResult replay(KernelServices services, Recording recording) {
    return new Replayer(services).replay(recording, ReplayOptions.ALL);
  }

  /** The real engine, but for one advice. */
  private static VmaService forgetsDontdump(Kernel kernel) {
    VmaService real = kernel.vmas();
    return (VmaService) Proxy.newProxyInstance(
        DifferentialRunTest.class.getClassLoader(), new Class<?>[] {VmaService.class},
        (proxy, method, arguments) -> {
          if (method.getName().equals("madvise") && arguments[3].equals(Mman.MADV_DONTDUMP)) {
            return null;
          }
          try {
            return method.invoke(real, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        });
  }

  private static PrintStream silent() {
    return new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
  }
}
