// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.IoHandler;
import io.faultline.device.IoRegion;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code lock cmpxchg} on a device's register. */
@FaultlineTest
@Timeout(600)
class LockedAccessTest {
  private static final DeviceRegistration NODE =
      DeviceRegistration.of("locked").withTimeoutMillis(600_000);
  private static final long WORD = 0;
  private static final long OTHER = 8;

  private final BootedKernel kernel;
  private final Registers device;
  private final Program program;
  private final long address;

  LockedAccessTest(BootedKernel kernel) throws Exception {
    this.kernel = kernel;
    device = new Registers(kernel.io(NODE).region("locked", 1, new Late(this)));
    AutoCloseable registered = kernel.devices().register(NODE, device);
    assertThat(registered).isNotNull();
    program = kernel.spawn();
    address = program.mmapShared(
        program.open("/dev/locked", AccessMode.READ_WRITE), Mman.PAGE_SIZE, 0);
  }

  /** Two words without a lock of their own; each access is written down, and may do something first. */
  private static final class Registers implements MmapProvider, IoHandler {
    private final IoRegion region;
    private final long[] words = new long[2];
    final List<String> log = new CopyOnWriteArrayList<>();
    volatile boolean logging = true;
    volatile Runnable beforeRead = () -> {
    };
    volatile Runnable beforeWrite = () -> {
    };

    Registers(IoRegion region) {
      this.region = region;
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      request.remapPfnRange(request.start(), region.frame(), request.length());
    }

    @Override
    public long read(long offset, int size) {
      note("read " + offset);
      beforeRead.run();
      return words[(int) offset / 8];
    }

    @Override
    public void write(long offset, int size, long value) {
      note("write " + offset + " " + value);
      beforeWrite.run();
      words[(int) offset / 8] = value;
    }

    private void note(String what) {
      if (logging) {
        log.add(what);
      }
    }
  }

  /** The handler, which is made after its region. */
  private record Late(LockedAccessTest test) implements IoHandler {
    @Override
    public long read(long offset, int size) {
      return test.device.read(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      test.device.write(offset, size, value);
    }
  }

  private UserMemory cpu() {
    return program.task().newCpu();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(5, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Runs something on a thread of its own, once. */
  private static Runnable once(Runnable action) {
    CountDownLatch first = new CountDownLatch(1);
    return () -> {
      boolean run;
      synchronized (first) {
        run = first.getCount() > 0;
        first.countDown();
      }
      if (run) {
        action.run();
      }
    };
  }

  private static void awaitInside(Thread thread, String method) throws InterruptedException {
    while (Arrays.stream(thread.getStackTrace())
        .noneMatch(frame -> frame.getMethodName().equals(method))) {
      assertThat(thread.isAlive()).as("it waits in %s", method).isTrue();
      Thread.sleep(1);
    }
  }

  @Test
  void itIsAReadAndAWrite() {
    assertThat(program.memory().compareAndSetLong(address, 0, 5)).isTrue();
    assertThat(device.log).containsExactly("read 0", "write 0 5");
  }

  @Test
  void whatIsNotAsExpectedIsWrittenBack() {
    device.words[0] = 7;
    assertThat(program.memory().compareAndSetInt(address, 6, 5)).isFalse();
    assertThat(device.log).containsExactly("read 0", "write 0 7");
  }

  @Test
  void noOtherAccessComesBetween() throws Exception {
    List<Thread> others = new ArrayList<>();
    device.beforeWrite = once(() -> {
      // Between the read and the write: others try.
      others.add(Thread.ofPlatform().start(() -> {
        long unused = cpu().getLong(address + OTHER);
      }));
      others.add(Thread.ofPlatform().start(() -> cpu().putLong(address + OTHER, 9)));
      others.add(Thread.ofPlatform().start(() -> {
        boolean unused = cpu().compareAndSetLong(address, 5, 6);
      }));
      try {
        for (Thread other : others) {
          awaitInside(other, "awaitFree");
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
    assertThat(program.memory().compareAndSetLong(address, 0, 5)).isTrue();
    for (Thread other : others) {
      other.join();
    }
    assertThat(device.log).startsWith("read 0", "write 0 5").hasSize(6);
    assertThat(device.log.subList(2, 6))
        .containsExactlyInAnyOrder("read 8", "write 8 9", "read 0", "write 0 6")
        .containsSequence("read 0", "write 0 6");
  }

  @Test
  void itWaitsForWhatIsUnderWay() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch inside = new CountDownLatch(1);
    device.beforeRead = once(() -> {
      inside.countDown();
      await(go);
      device.log.add("done");
    });
    Thread first = Thread.ofPlatform().start(() -> {
      long unused = cpu().getLong(address + OTHER);
    });
    await(inside);
    Thread second = Thread.ofPlatform().start(() -> {
      boolean unused = cpu().compareAndSetLong(address, 0, 1);
    });
    awaitInside(second, "awaitAccessesUnderWay");
    go.countDown();
    first.join();
    second.join();
    assertThat(device.log).containsExactly("read 8", "done", "read 0", "write 0 1");
  }

  @Test
  void countingWithItLosesNothing() throws Exception {
    device.logging = false;
    int threads = 3;
    int rounds = 2000;
    List<CompletableFuture<Void>> counting = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      counting.add(CompletableFuture.runAsync(() -> {
        UserMemory cpu = cpu();
        for (int i = 0; i < rounds; i++) {
          long now = cpu.getLong(address);
          while (!cpu.compareAndSetLong(address, now, now + 1)) {
            now = cpu.getLong(address);
          }
        }
      }));
    }
    for (CompletableFuture<Void> each : counting) {
      each.get(5, TimeUnit.MINUTES);
    }
    assertThat(program.memory().getLong(address)).isEqualTo((long) threads * rounds);
    assertThat(kernel.problems()).isEmpty();
  }

  @Test
  void aHandlerMayUseItOnItsOwnRegisters() {
    UserMemory own = cpu();
    device.beforeWrite = once(() -> {
      assertThat(own.compareAndSetLong(address + OTHER, 0, 3)).isTrue();
    });
    assertThat(program.memory().compareAndSetLong(address, 0, 5)).isTrue();
    assertThat(device.log).containsExactly("read 0", "write 0 5", "read 8", "write 8 3");
  }

  @Test
  void aHandlerThatFailsInItLocksNobodyOut() {
    device.beforeWrite = once(() -> {
      throw new IllegalStateException("no write");
    });
    assertSigbus(address, () -> program.memory().compareAndSetLong(address, 0, 5));
    assertThat(program.memory().getLong(address)).isZero();
    assertThat(program.memory().compareAndSetLong(address, 0, 5)).isTrue();
  }

  @Test
  void othersWaitNoLongerThanTheDevicesLimit() throws Exception {
    DeviceRegistration quick = DeviceRegistration.of("quick").withTimeoutMillis(1000);
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch inside = new CountDownLatch(1);
    Registers slow = new Registers(kernel.io(quick).region("quick", 1, new IoHandler() {
      @Override
      public long read(long offset, int size) {
        return 4;
      }

      @Override
      public void write(long offset, int size, long value) {
        inside.countDown();
        boolean ended = false;
        while (!ended) {
          try {
            ended = go.await(5, TimeUnit.MINUTES);
          } catch (InterruptedException ignored) {
            // It hangs as badly as a handler can.
          }
        }
      }
    }));
    AutoCloseable registered = kernel.devices().register(quick, slow);
    assertThat(registered).isNotNull();
    long place = program.mmapShared(
        program.open("/dev/quick", AccessMode.READ_WRITE), Mman.PAGE_SIZE, 0);
    Thread hanging = Thread.ofPlatform().start(
        () -> assertSigbus(place, () -> cpu().compareAndSetLong(place, 4, 5)));
    await(inside);
    try {
      assertThat(program.memory().getLong(place)).isEqualTo(4);
    } finally {
      go.countDown();
      hanging.join();
    }
  }

  @Test
  void theTraceTellsOfBoth() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    kernel.trace(event -> {
      if (event.kind() == TraceEvent.Kind.IO) {
        told.add(event.text());
      }
    });
    boolean unused = program.memory().compareAndSetInt(address, 0, 5);
    assertThat(told).containsExactly(
        "I/O read of locked at 0x0, 4 bytes: 0x0", "I/O write of locked at 0x0, 4 bytes: 0x5");
  }
}
