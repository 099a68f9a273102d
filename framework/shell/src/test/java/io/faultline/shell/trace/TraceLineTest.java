// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.kernel.TraceEvent;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class TraceLineTest {
  private static final TraceEvent NOPAGE =
      new TraceEvent(
          0, 2, TraceEvent.Kind.NOPAGE, "/dev/scullp0", 0x7000, 0x7000, "minor page, frame 3");

  @Test
  void aLineHasProcessKindDeviceAddressAndText() {
    assertThat(TraceLine.of(NOPAGE, false))
        .isEqualTo("[2] nopage   /dev/scullp0 7000  minor page, frame 3");
  }

  @Test
  void aRangeIsPrintedAsInMapsAndTheKindOnce() {
    TraceEvent close =
        new TraceEvent(0, 2, TraceEvent.Kind.CLOSE, "/dev/scullp0", 0x7000, 0x9000, "close");
    assertThat(TraceLine.of(close, false)).isEqualTo("[2] close    /dev/scullp0 7000-9000");
  }

  @Test
  void coloursAreForTerminals() {
    assertThat(TraceLine.of(NOPAGE, true)).startsWith("\u001b[33m[2]").endsWith("\u001b[0m");
  }

  /** Keeps lines; blocks at the first one until released, as a slow terminal does. */
  private static final class SlowSink implements Sink {
    final List<String> lines = new CopyOnWriteArrayList<>();
    final CountDownLatch released = new CountDownLatch(1);

    @Override
    public boolean colours() {
      return false;
    }

    @Override
    public void line(String text) {
      try {
        released.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      lines.add(text);
    }
  }

  @Test
  void theKernelNeverWaitsForTheTerminalAndLossesAreTold() throws Exception {
    SlowSink sink = new SlowSink();
    try (TracePrinter printer =
        new TracePrinter(sink, EnumSet.noneOf(TraceEvent.Kind.class), null)) {
      printer.start();
      for (int i = 0; i < 10_000; i++) {
        printer.event(NOPAGE);
      }
      sink.released.countDown();
      awaitThat(printer, () -> lost(sink) + printed(sink) >= 10_000);
    }
    assertThat(lost(sink)).isPositive();
    assertThat(lost(sink) + printed(sink)).isEqualTo(10_000);
  }

  private static long lost(SlowSink sink) {
    return sink.lines.stream()
        .filter(line -> line.contains("events were lost"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }

  private static long printed(SlowSink sink) {
    return sink.lines.stream().filter(line -> line.startsWith("[2]")).count();
  }

  /** The printer waits a moment only: nobody's command is to hang for its trace. */
  private static void awaitThat(TracePrinter printer, BooleanSupplier condition)
      throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (!condition.getAsBoolean() && System.nanoTime() - end < 0) {
      printer.settle();
      Thread.sleep(1);
    }
  }

  @Test
  void otherKindsAndProcessesAreLeftOut() throws Exception {
    SlowSink sink = new SlowSink();
    sink.released.countDown();
    try (TracePrinter printer =
        new TracePrinter(sink, EnumSet.of(TraceEvent.Kind.OPEN, TraceEvent.Kind.NOPAGE), 2)) {
      printer.start();
      printer.event(new TraceEvent(0, 3, TraceEvent.Kind.NOPAGE, null, 0, 0, "other process"));
      printer.event(new TraceEvent(0, 2, TraceEvent.Kind.FAULT, null, 0, 0, "other kind"));
      printer.event(NOPAGE);
      awaitThat(printer, () -> !sink.lines.isEmpty());
    }
    assertThat(sink.lines).containsExactly(TraceLine.of(NOPAGE, false));
  }
}
