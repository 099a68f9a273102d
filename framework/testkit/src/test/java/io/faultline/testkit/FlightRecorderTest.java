// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.jfr.OomKillEvent;
import io.faultline.core.jfr.PageFaultEvent;
import io.faultline.core.jfr.ReclaimEvent;
import io.faultline.core.jfr.SwapInEvent;
import io.faultline.core.jfr.SwapOutEvent;
import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Flight Recorder sees of a kernel that runs already when the recording begins. */
@FaultlineTest
class FlightRecorderTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;
  /** That of the event for a driver's call, as it is shipped. */
  private static final int THRESHOLD_MILLIS = 1;
  private static final int ANONYMOUS = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS;

  private final BootedKernel kernel;
  private final Program program;

  @TempDir Path folder;

  FlightRecorderTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  private interface Work {
    void run() throws Exception;
  }

  /** The events of that name which come of some work. */
  private List<RecordedEvent> recorded(String name, Work work) throws Exception {
    Path file = folder.resolve("recording.jfr");
    Instant began;
    try (Recording recording = new Recording()) {
      recording.enable("faultline." + name);
      recording.start();
      began = recording.getStartTime();
      work.run();
      recording.stop();
      recording.dump(file);
    }
    // The file may begin with what another test has recorded.
    List<RecordedEvent> events = RecordingFile.readAllEvents(file).stream()
        .filter(e -> !e.getStartTime().isBefore(began))
        .filter(e -> e.getEventType().getName().equals("faultline." + name))
        .toList();
    Files.delete(file);
    assertThat(events).allMatch(
        e -> e.getEventType().getCategoryNames().equals(List.of("Faultline")));
    return events;
  }

  private long anonymous(int pages) throws ErrnoException {
    return program.mmap(-1, (long) pages * PAGE, RW, ANONYMOUS, 0);
  }

  @Test
  void aPageFaultIsRecordedWithItsAddressAndItsTime() throws Exception {
    long address = anonymous(2);
    List<RecordedEvent> events =
        recorded("PageFault", () -> program.memory().putByte(address + PAGE + 7, (byte) 1));
    assertThat(events).singleElement().satisfies(e -> {
      assertThat(e.getInt("pid")).isEqualTo(1);
      assertThat(e.getLong("address")).isEqualTo(address + PAGE + 7);
      assertThat(e.getString("access")).isEqualTo("WRITE");
      assertThat(e.getBoolean("major")).isFalse();
      assertThat(e.getString("refusal")).isNull();
      assertThat(e.getDuration()).isPositive().isLessThan(Duration.ofMinutes(1));
    });
  }

  @Test
  void aRefusedAccessIsRecordedWithItsReason() throws Exception {
    List<RecordedEvent> events = recorded(
        "PageFault",
        () -> assertThatThrownBy(() -> program.memory().getByte(16))
            .isInstanceOf(SignalException.class));
    assertThat(events).singleElement().satisfies(
        e -> assertThat(e.getString("refusal"))
            .isEqualTo("SIGSEGV (SEGV_MAPERR): nothing is mapped there"));
  }

  @Test
  void mmapIsRecordedWithItsArgumentsAndItsResult() throws Exception {
    long[] address = new long[1];
    List<RecordedEvent> events = recorded("Mmap", () -> {
      address[0] = anonymous(3);
      assertThatThrownBy(() -> program.mmap(77, PAGE, RW, Mman.MAP_SHARED, 0))
          .isInstanceOf(ErrnoException.class);
    });
    assertThat(events).hasSize(2);
    assertThat(events.getFirst()).satisfies(e -> {
      assertThat(e.getInt("pid")).isEqualTo(1);
      assertThat(e.getLong("length")).isEqualTo(3 * PAGE);
      assertThat(e.getInt("protection")).isEqualTo(RW);
      assertThat(e.getInt("flags")).isEqualTo(ANONYMOUS);
      assertThat(e.getInt("descriptor")).isEqualTo(-1);
      assertThat(e.getLong("result")).isEqualTo(address[0]);
      assertThat(e.getString("error")).isNull();
    });
    assertThat(events.getLast().getString("error")).contains("EBADF");
  }

  @Test
  void munmapIsRecorded() throws Exception {
    long address = anonymous(3);
    assertThat(recorded("Munmap", () -> program.munmap(address, 2 * PAGE))).singleElement()
        .satisfies(e -> {
          assertThat(e.getLong("address")).isEqualTo(address);
          assertThat(e.getLong("length")).isEqualTo(2 * PAGE);
        });
  }

  @Test
  void aForkIsRecordedWithItsChild() throws Exception {
    Program[] child = new Program[1];
    List<RecordedEvent> events = recorded("Fork", () -> child[0] = program.fork());
    assertThat(events).singleElement().satisfies(e -> {
      assertThat(e.getInt("pid")).isEqualTo(1);
      assertThat(e.getInt("child")).isEqualTo(child[0].task().pid());
      assertThat(e.getInt("areas")).isEqualTo(program.areas().size());
    });
  }

  @Test
  void onlySlowCallsIntoDriversAreRecorded() throws Exception {
    RecordingDriver driver = driver();
    int fd = program.open("/dev/recorder", AccessMode.READ_WRITE);
    long address = program.mmapShared(fd, 2 * PAGE, 0);
    driver.during("nopage", vma -> {
      if (driver.take().getLast().contains("nopage")) {
        pause();
      }
    });
    List<RecordedEvent> events = recorded("DriverCall", () -> {
      program.memory().getByte(address);
      program.close(fd);
    });
    // On a busy machine another call may have been slow as well; then it is there as it should be.
    assertThat(events)
        .allMatch(e -> e.getDuration().compareTo(Duration.ofMillis(THRESHOLD_MILLIS)) >= 0);
    assertThat(events).filteredOn(e -> e.getString("operation").equals("nopage"))
        .singleElement().satisfies(e -> {
          assertThat(e.getString("device")).isEqualTo("/dev/recorder");
          assertThat(e.getString("driver")).isEqualTo("recorder 0.0.0");
          assertThat(e.getBoolean("interrupted")).isFalse();
          assertThat(e.getDuration()).isGreaterThanOrEqualTo(Duration.ofMillis(20));
        });
  }

  @Test
  void aCallThatFailsByTheDriversFaultIsRecordedAsTheLogHasIt() throws Exception {
    RecordingDriver driver = driver();
    long address =
        program.mmapShared(program.open("/dev/recorder", AccessMode.READ_WRITE), PAGE, 0);
    driver.during("nopage", vma -> {
      throw new IllegalStateException("out of order");
    });
    List<RecordedEvent> events = recorded(
        "DriverFailure",
        () -> assertThatThrownBy(() -> program.memory().getByte(address))
            .isInstanceOf(SignalException.class));
    assertThat(events).singleElement().satisfies(
        e -> assertThat(e.getString("message")).isEqualTo(kernel.problems().getFirst())
            .contains("out of order"));
  }

  @Test
  void swapReclaimAndOomEventsHaveWhatTheyAreGiven() throws Exception {
    assertThat(recorded("SwapOut", () -> started(SwapOutEvent.start()).finish("zram0", 7, 8, null)))
        .singleElement().satisfies(e -> {
          assertThat(e.getString("device")).isEqualTo("zram0");
          assertThat(e.getLong("slot")).isEqualTo(7);
          assertThat(e.getInt("pages")).isEqualTo(8);
        });
    assertThat(recorded("SwapIn", () -> started(SwapInEvent.start())
        .finish(1, 4096, "zram0", 7, "is gone"))).singleElement().satisfies(e -> {
          assertThat(e.getLong("address")).isEqualTo(4096);
          assertThat(e.getString("error")).isEqualTo("is gone");
        });
    assertThat(recorded("Reclaim", () -> started(ReclaimEvent.start()).finish(true, 64, 32, 100)))
        .singleElement().satisfies(e -> {
          assertThat(e.getBoolean("direct")).isTrue();
          assertThat(e.getLong("scanned")).isEqualTo(64);
          assertThat(e.getLong("reclaimed")).isEqualTo(32);
          assertThat(e.getLong("free")).isEqualTo(100);
        });
    assertThat(recorded("OomKill", () -> OomKillEvent.emit(9, "hog", 1000, 900, 100)))
        .singleElement().satisfies(e -> {
          assertThat(e.getInt("pid")).isEqualTo(9);
          assertThat(e.getString("name")).isEqualTo("hog");
          assertThat(e.getLong("badness")).isEqualTo(1000);
          assertThat(e.getLong("resident")).isEqualTo(900);
          assertThat(e.getLong("swapped")).isEqualTo(100);
        });
  }

  @Test
  void whileNobodyRecordsNoEventIsMade() throws Exception {
    assertThat(PageFaultEvent.start()).isNull();
    var threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    int made = 0;
    for (int i = 0; i < 100_000; i++) {
      if (PageFaultEvent.start() != null) {
        made++;
      }
    }
    assertThat(made).isZero();
    // An event is some 50 bytes; what else the JVM and the test need is far less than that.
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1_000_000);
  }

  private static <T> T started(@Nullable T event) {
    return Objects.requireNonNull(event, "nobody records");
  }

  private RecordingDriver driver() throws ErrnoException {
    RecordingDriver driver = new RecordingDriver(kernel.pages("recorder"));
    kernel.devices().register(DeviceRegistration.of("recorder"), driver);
    driver.completes(request -> request.setOperations(driver.nopageAlone()));
    return driver;
  }

  private static void pause() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
