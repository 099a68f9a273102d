// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.benchmarks;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.core.jfr.PageFaultEvent;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the event of a page fault costs while nobody records it and while somebody does: a fault of a
 * page that is there, the shortest one, and the event's own part of it, which is all that would be
 * saved if there were none.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 8, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@SuppressWarnings("NullAway.Init") // JMH calls boot() first.
public class FlightRecorderCosts {
  /** Whether page faults are recorded. */
  @Param({"off", "on"}) public String recording;

  private Kernel kernel;
  private FaultDispatcher faults;
  private Task task;
  private long address;
  private @Nullable Recording recorder;

  @Setup(Level.Trial)
  public void boot() throws ErrnoException {
    kernel = new Kernel(16 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
    faults = kernel.faults();
    task = kernel.tasks().spawn("benchmark");
    address =
        kernel.calls().mmap(
            task, 0, Mman.PAGE_SIZE, Mman.PROT_READ | Mman.PROT_WRITE,
            Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, -1, 0);
    faults.handle(task, address, Access.WRITE);
    if (recording.equals("on")) {
      Recording begun = new Recording();
      begun.enable("faultline.PageFault");
      begun.start();
      recorder = begun;
    }
  }

  @TearDown
  public void shutDown() {
    Recording begun = recorder;
    if (begun != null) {
      begun.close();
    }
    kernel.close();
  }

  /** A fault of a page that is there. */
  @Benchmark
  public Object fault() {
    return faults.handle(task, address, Access.READ);
  }

  /** What a fault does for its event before anything else. */
  @Benchmark
  public @Nullable Object event() {
    return PageFaultEvent.start();
  }
}
