// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.benchmarks;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.device.AccessMode;
import io.faultline.driver.ring.Ring;
import io.faultline.driver.ring.client.MappedRing;
import io.faultline.driver.ring.client.RingConsumer;
import io.faultline.driver.ring.client.RingProducer;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.GroupThreads;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Control;

/**
 * Records through {@code /dev/ring0} from one process to another, against the same ring in the host's own
 * memory ({@link TwiceMapped}). <em>turns</em>: one thread is both processes in turn, {@value #TURN}
 * records each: what a record costs. <em>pair</em>: a thread each; what the consumer takes is the
 * throughput, and needs two processors of its own.
 */
@SuppressWarnings("NullAway.Init") // JMH calls the set-up before anything else
@State(Scope.Group)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class RingThroughput {
  private static final int TURN = 16;
  private static final int ORDER = 4;
  private static final long SIZE = (long) Mman.PAGE_SIZE << ORDER;

  /** Where the ring is: {@code faultline} or {@code host}. */
  @Param({"faultline", "host"}) public String where;

  /** Bytes of a record's payload. */
  @Param({"56", "1016"}) public int bytes;

  private AutoCloseable ring;
  private RingProducer producer;
  private RingConsumer consumer;
  private MemorySegment source;
  private MemorySegment target;

  @Setup(Level.Trial)
  public void map() throws ErrnoException {
    source = MemorySegment.ofArray(new byte[bytes]).fill((byte) 7);
    target = MemorySegment.ofArray(new byte[bytes]);
    if (where.equals("host")) {
      TwiceMapped memory = new TwiceMapped(SIZE);
      ring = memory;
      MappedRing mapped = new MappedRing(memory, memory.address(), SIZE);
      producer = RingProducer.alone(mapped);
      consumer = new RingConsumer(mapped);
      return;
    }
    Kernel kernel = new Kernel(64 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
    ring = kernel;
    AutoCloseable unused = kernel.devices().register(
        DeviceRegistration.of("ring0"), new Ring(kernel.memoryOf("ring0"), ORDER));
    producer = RingProducer.alone(inNewProcess(kernel));
    consumer = new RingConsumer(inNewProcess(kernel));
  }

  private static MappedRing inNewProcess(Kernel kernel) throws ErrnoException {
    Task task = kernel.tasks().spawn("ring");
    UserMemory memory = task.newCpu();
    int fd = kernel.files().open(task, "/dev/ring0", AccessMode.READ_WRITE);
    return MappedRing.map(memory, kernel.calls(), task, fd);
  }

  @TearDown(Level.Trial)
  public void unmap() throws Exception {
    ring.close();
  }

  @Benchmark
  @Group("turns")
  @GroupThreads(1)
  @OperationsPerInvocation(TURN)
  public void turns() {
    for (int i = 0; i < TURN; i++) {
      if (!producer.offer(source, i)) {
        throw new IllegalStateException("full");
      }
    }
    for (int i = 0; i < TURN; i++) {
      if (consumer.poll(target) != bytes || consumer.kind() != i) {
        throw new IllegalStateException("not in order");
      }
    }
  }

  @Benchmark
  @Group("pair")
  @GroupThreads(1)
  public void produce(Control control) {
    while (!producer.offer(source, 0) && !control.stopMeasurement) {
      Thread.onSpinWait();
    }
  }

  @Benchmark
  @Group("pair")
  @GroupThreads(1)
  public void consume(Control control) {
    while (consumer.poll(target) < 0 && !control.stopMeasurement) {
      Thread.onSpinWait();
    }
  }
}
