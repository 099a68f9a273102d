// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.benchmarks;

import io.faultline.core.Kernel;
import io.faultline.core.component.DriverThreadPool;
import io.faultline.core.device.DriverLog;
import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
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
 * What a call into a driver costs: in a fault, where it is made on the thread that faults, and in a
 * system call, where it is made aside if the kernel has threads for that; against the same without a
 * driver.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@SuppressWarnings("NullAway.Init") // JMH calls boot() first.
public class DriverCalls {
  /** Where calls in the middle of a change are made. */
  @Param({"inline", "aside"}) public String threads;

  private Kernel kernel;
  private FaultDispatcher faults;
  private Task task;
  private int fd;
  private long ofDriver;
  private long anonymous;

  /** One page for all. */
  private static final class OnePage implements MmapProvider, VmOperations {
    private final Page page;

    OnePage(Page page) {
      this.page = page;
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(this);
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return Nopage.minor(page.get());
    }
  }

  @Setup
  public void boot() throws ErrnoException {
    kernel = new Kernel(16 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
    if (threads.equals("aside")) {
      kernel.setDriverThreads(new DriverThreadPool());
    }
    faults = kernel.faults();
    task = kernel.tasks().spawn("benchmark");
    DeviceRegistration one = DeviceRegistration.of("one");
    AutoCloseable unused =
        kernel.devices().register(one, new OnePage(kernel.pagesFor(one).allocate()));
    fd = kernel.files().open(task, "/dev/one", AccessMode.READ_WRITE);
    ofDriver = map(fd);
    anonymous = map(-1);
  }

  private long map(int file) throws ErrnoException {
    return kernel.calls().mmap(
        task, 0, Mman.PAGE_SIZE, Mman.PROT_READ | Mman.PROT_WRITE,
        file < 0 ? Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS : Mman.MAP_SHARED, file, 0);
  }

  @TearDown
  public void shutDown() {
    kernel.close();
  }

  /** A driver's page is taken out of the page table, and faulted in by {@code nopage}. */
  @Benchmark
  public Object faultOfADriver() throws ErrnoException {
    kernel.calls().madvise(task, ofDriver, Mman.PAGE_SIZE, Mman.MADV_DONTNEED);
    return faults.handle(task, ofDriver, Access.READ);
  }

  /** The same with a page of zeros. */
  @Benchmark
  public Object faultWithoutDriver() throws ErrnoException {
    kernel.calls().madvise(task, anonymous, Mman.PAGE_SIZE, Mman.MADV_DONTNEED);
    return faults.handle(task, anonymous, Access.READ);
  }

  /** A device is mapped, with a call of its {@code mmap}, and unmapped. */
  @Benchmark
  public long mmapOfADriver() throws ErrnoException {
    long address = map(fd);
    kernel.calls().munmap(task, address, Mman.PAGE_SIZE);
    return address;
  }

  /** The same with anonymous memory. */
  @Benchmark
  public long mmapWithoutDriver() throws ErrnoException {
    long address = map(-1);
    kernel.calls().munmap(task, address, Mman.PAGE_SIZE);
    return address;
  }
}
