// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.benchmarks;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.device.AccessMode;
import io.faultline.device.IoHandler;
import io.faultline.device.IoRegion;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A register of a device: through a mapping (walk, bus, guard, handler), against the handler called as
 * any object is, and against a load from memory that is mapped beside it.
 */
@SuppressWarnings("NullAway.Init") // JMH calls the set-up before anything else
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 8, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class RegisterAccess {
  private Kernel kernel;
  private Device device;
  private UserMemory cpu;
  private long registers;
  private long memory;

  /** One register that counts, one that holds. */
  private static final class Device implements MmapProvider, IoHandler {
    private final IoRegion region;
    private long count;
    private long held;

    Device(Kernel kernel) throws ErrnoException {
      region = kernel.ioOf("device").region("device", 1, this);
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      request.remapPfnRange(request.start(), region.frame(), request.length());
    }

    @Override
    public long read(long offset, int size) {
      return offset == 0 ? ++count : held;
    }

    @Override
    public void write(long offset, int size, long value) {
      held = value;
    }
  }

  @Setup(Level.Trial)
  public void map() throws Exception {
    kernel = new Kernel(64 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
    device = new Device(kernel);
    AutoCloseable unused = kernel.devices().register(DeviceRegistration.of("device"), device);
    Task task = kernel.tasks().spawn("benchmark");
    int prot = Mman.PROT_READ | Mman.PROT_WRITE;
    int fd = kernel.files().open(task, "/dev/device", AccessMode.READ_WRITE);
    registers = kernel.calls().mmap(task, 0, Mman.PAGE_SIZE, prot, Mman.MAP_SHARED, fd, 0);
    memory =
        kernel.calls().mmap(
            task, 0, Mman.PAGE_SIZE, prot, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, -1, 0);
    cpu = task.newCpu();
    cpu.putLong(memory, 1);
  }

  @TearDown
  public void unmap() {
    kernel.close();
  }

  @Benchmark
  public long loadCalled() {
    return device.read(0, Long.BYTES);
  }

  @Benchmark
  public long loadMapped() {
    return cpu.getLong(registers);
  }

  @Benchmark
  public void storeCalled() {
    device.write(8, Long.BYTES, 5);
  }

  @Benchmark
  public void storeMapped() {
    cpu.putLong(registers + 8, 5);
  }

  @Benchmark
  public long loadMemory() {
    return cpu.getLong(memory);
  }
}
