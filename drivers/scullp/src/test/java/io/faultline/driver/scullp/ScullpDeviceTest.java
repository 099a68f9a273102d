// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.memory.DriverPages;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One device, on real frames, without a process. */
class ScullpDeviceTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int FRAMES = 128;

  private final PhysicalMemory memory = new PhysicalMemory((long) FRAMES * PAGE);
  private final DriverPages pages = new DriverPages(memory, "scullp");
  private final ScullpDevice device = new ScullpDevice(pages, new Geometry(0, 500));

  @AfterEach
  void noPageIsLost() {
    device.free();
    assertThat(pages.allocated()).isZero();
    memory.validate();
    memory.close();
  }

  @Test
  void readsWhatWasWritten() throws ErrnoException {
    assertThat(write(device, 10, "hello")).isEqualTo(5);

    assertThat(read(device, 10, 5)).isEqualTo("hello");
    assertThat(read(device, 0, 10)).isEqualTo("\0".repeat(10));
  }

  @Test
  void isAsLongAsWhatWasWritten() throws ErrnoException {
    write(device, 100, "abc");
    write(device, 50, "abc");

    assertThat(device.size()).isEqualTo(103);
    assertThat(read(device, 101, 10)).isEqualTo("bc");
    assertThat(read(device, 103, 10)).isEmpty();
    assertThat(read(device, Long.MAX_VALUE - 10, 10)).isEmpty();
  }

  @Test
  void readAndWriteStopAtTheEndOfAQuantum() throws ErrnoException {
    assertThat(write(device, PAGE - 3, "abcdef")).isEqualTo(3);
    assertThat(write(device, PAGE, "def")).isEqualTo(3);

    assertThat(read(device, PAGE - 3, 6)).isEqualTo("abc");
    assertThat(read(device, PAGE, 6)).isEqualTo("def");
  }

  @Test
  void aQuantumOfSeveralPagesIsReadAndWrittenAcrossThem() throws ErrnoException {
    ScullpDevice big = new ScullpDevice(pages, new Geometry(2, 3));

    assertThat(write(big, PAGE - 3, "abcdef")).isEqualTo(6);
    assertThat(write(big, 4 * PAGE - 1, "xy")).isEqualTo(1);

    assertThat(read(big, PAGE - 3, 6)).isEqualTo("abcdef");
    assertThat(pages.allocated()).isEqualTo(4);
    big.free();
  }

  @Test
  void readsNothingInAHole() throws ErrnoException {
    write(device, 2 * PAGE, "x");

    assertThat(read(device, PAGE, 10)).isEmpty();
    assertThat(pages.allocated()).isEqualTo(1);
  }

  @Test
  void aFarPositionCostsOneQuantum() throws ErrnoException {
    write(device, Long.MAX_VALUE - 10, "far");

    assertThat(read(device, Long.MAX_VALUE - 10, 3)).isEqualTo("far");
    assertThat(pages.allocated()).isEqualTo(1);
  }

  @Test
  void nopageGivesThePageThatWasWrittenWithAReferenceForTheKernel() throws ErrnoException {
    write(device, PAGE + 1, "x");

    Page page = Objects.requireNonNull(device.nopage(1).page());

    assertThat(page.segment().get(ValueLayout.JAVA_BYTE, 1)).isEqualTo((byte) 'x');
    assertThat(page.referenceCount()).isEqualTo(2);
    assertThat(device.nopage(1)).as("made once").isSameAs(device.nopage(1));
    for (int i = 0; i < 3; i++) {
      page.put();
    }
  }

  @Test
  void nopageInAHoleOrBehindTheEndIsSigbus() throws ErrnoException {
    assertThat(device.nopage(0)).as("empty").isSameAs(Nopage.SIGBUS);

    write(device, 2 * PAGE - 1, "x");

    assertThat(device.nopage(0)).as("hole").isSameAs(Nopage.SIGBUS);
    assertThat(device.nopage(2)).as("behind the end").isSameAs(Nopage.SIGBUS);
    assertThat(device.nopage(Long.MAX_VALUE >> Mman.PAGE_SHIFT)).isSameAs(Nopage.SIGBUS);
  }

  @Test
  void cannotBeMappedWhenAQuantumIsNotOnePage() {
    assertFails(Errno.ENODEV, new ScullpDevice(pages, new Geometry(1, 500))::mapped);
  }

  @Test
  void refusesToBeTrimmedWhileMapped() throws ErrnoException {
    write(device, 0, "stays");
    device.mapped();
    device.opened();
    device.closed();

    assertFails(Errno.EBUSY, () -> device.trim(new Geometry(1, 7)));
    assertThat(read(device, 0, 5)).isEqualTo("stays");

    device.closed();
    device.trim(new Geometry(1, 7));
    assertThat(device.size()).isZero();
    assertThat(pages.allocated()).isZero();
  }

  @Test
  void takesAnotherGeometryWhenItIsTrimmed() throws ErrnoException {
    device.trim(new Geometry(1, 2));

    assertThat(write(device, PAGE - 1, "ab")).isEqualTo(2);
    assertThat(pages.allocated()).isEqualTo(2);
  }

  @Test
  void aRefusedMapIsNotCounted() throws ErrnoException {
    device.trim(new Geometry(1, 500));
    assertFails(Errno.ENODEV, device::mapped);

    device.trim(new Geometry(0, 500));
    device.mapped();
    assertFails(Errno.EBUSY, () -> device.trim(new Geometry(0, 500)));
  }

  @Test
  void aPageThatTheKernelStillHoldsOutlivesItsQuantum() throws ErrnoException {
    write(device, 0, "x");
    Page page = Objects.requireNonNull(device.nopage(0).page());
    long frame = memory.accept(page);

    device.free();

    assertThat(memory.isLive(frame)).isTrue();
    assertThat(memory.references(frame)).isEqualTo(1);
    memory.put(frame);
    assertThat(memory.isLive(frame)).isFalse();
  }

  @Test
  void aWriteWithoutMemoryIsEnomemAndChangesNothing() throws ErrnoException {
    ScullpDevice huge = new ScullpDevice(pages, new Geometry(6, 500));
    write(huge, 0, "x");

    assertFails(Errno.ENOMEM, () -> write(huge, 64L * PAGE, "no room"));

    assertThat(huge.size()).isEqualTo(1);
    assertThat(read(huge, 0, 10)).isEqualTo("x");
    huge.free();
    assertThat(write(device, 0, "room")).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource({"0, 500", "0, 1", "1, 3", "3, 2"})
  void agreesWithAnArrayOfBytes(int order, int qset) throws ErrnoException {
    ScullpDevice sparse = new ScullpDevice(pages, new Geometry(order, qset));
    Random random = new Random(42);
    byte[] model = new byte[64 * PAGE];
    int quantum = PAGE << order;
    boolean[] made = new boolean[model.length / quantum];
    int size = 0;
    for (int i = 0; i < 2000; i++) {
      int position = random.nextInt(model.length);
      int room = quantum - position % quantum;
      byte[] buffer = new byte[1 + random.nextInt(2 * quantum)];
      if (random.nextInt(4) == 0) {
        random.nextBytes(buffer);
        int count = Math.min(buffer.length, room);
        assertThat(sparse.write(position, MemorySegment.ofArray(buffer))).isEqualTo(count);
        System.arraycopy(buffer, 0, model, position, count);
        made[position / quantum] = true;
        size = Math.max(size, position + count);
      } else {
        int count = made[position / quantum]
            ? Math.clamp(size - position, 0, Math.min(buffer.length, room))
            : 0;
        assertThat(sparse.read(position, MemorySegment.ofArray(buffer))).isEqualTo(count);
        assertThat(MemorySegment.ofArray(buffer).asSlice(0, count)
            .mismatch(MemorySegment.ofArray(model).asSlice(position, count))).isEqualTo(-1);
      }
      assertThat(sparse.size()).isEqualTo(size);
    }
    sparse.free();
  }

  @Test
  void geometryNamesTheParameterThatIsOutOfRange() {
    assertThatThrownBy(() -> new Geometry(11, 500)).hasMessage("order: 11 is not in 0..10");
    assertThatThrownBy(() -> new Geometry(0, 0)).hasMessage("qset: 0 is not in 1..65536");
  }

  private static int write(ScullpDevice device, long position, String text) throws ErrnoException {
    return device.write(position, MemorySegment.ofArray(text.getBytes(US_ASCII)));
  }

  private static String read(ScullpDevice device, long position, int length) {
    byte[] buffer = new byte[length];
    int count = device.read(position, MemorySegment.ofArray(buffer));
    return new String(buffer, 0, count, US_ASCII);
  }

  private static void assertFails(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(ErrnoException.class,
        e -> assertThat(e.errno()).isEqualTo(errno));
  }
}
