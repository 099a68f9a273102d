// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapzram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.SwapDevice;
import io.faultline.testkit.SwapDeviceContract;
import java.io.IOException;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SwapZramTest extends SwapDeviceContract {
  private static final int MEMORY = 4 << 20;

  /** As {@code SwapPage}'s numbers are: multiples of 16 are zeros, 1 one word, 4 noise. */
  private static final long ZEROS = 0;
  private static final long ONE_WORD = 1;
  private static final long NOISE = 4;

  @Override
  protected SwapDevice device() {
    return new SwapZram("/dev/zram0", 1 << 20, MEMORY);
  }

  private MmStat stat() {
    return ((SwapZram) underTest()).stat();
  }

  private static long[] slots(int count) {
    return LongStream.range(0, count).toArray();
  }

  private static long[] numbers(int count, long kind) {
    return LongStream.range(0, count).map(i -> 16 * i + kind).toArray();
  }

  @Test
  void pagesThatAreOneWordTakeNoMemory() throws IOException {
    underTest().swapon();
    write(slots(200), numbers(200, ONE_WORD));
    write(new long[] {300}, ZEROS);
    assertThat(stat()).isEqualTo(new MmStat(201 * 4096, 0, 0, MEMORY, 0, 201, 0, 0, 0));
    assertHolds(slots(200), numbers(200, ONE_WORD));
    underTest().free(slots(200));
    assertThat(stat().samePages()).isEqualTo(1);
  }

  @Test
  void pagesThatDoNotCompressAreHeldAsTheyAre() throws IOException {
    underTest().swapon();
    write(slots(16), numbers(16, NOISE));
    assertThat(stat()).isEqualTo(
        new MmStat(16 * 4096, 16 * 4096, Pool.CHUNK, MEMORY, Pool.CHUNK, 0, 0, 16, 16));
    underTest().free(slots(16));
    assertThat(stat()).isEqualTo(new MmStat(0, 0, 0, MEMORY, Pool.CHUNK, 0, 0, 0, 16));
  }

  @Test
  void otherPagesAreCompressed() throws IOException {
    underTest().swapon();
    write(slots(500), numbers(500, 9));
    MmStat stat = stat();
    assertThat(stat.originalBytes()).isEqualTo(500 * 4096);
    assertThat(stat.compressedBytes()).isLessThan(stat.originalBytes() * 2 / 3);
    assertThat(stat.usedBytes()).isLessThan(stat.originalBytes())
        .isGreaterThanOrEqualTo(stat.compressedBytes());
    assertHolds(slots(500), numbers(500, 9));
  }

  @Test
  void aWriteBeyondTheLimitFailsWholeAndTheDeviceGoesOn() throws IOException {
    underTest().swapon();
    int fit = MEMORY / 4096;
    write(slots(fit - 100), numbers(fit - 100, NOISE));
    long[] toomany = LongStream.range(2000, 2200).toArray();
    assertThatThrownBy(() -> write(toomany, numbers(200, NOISE))).isInstanceOf(IOException.class)
        .hasMessageContaining("memory.limit.bytes");
    for (long slot : toomany) {
      assertRefused(() -> read(slot));
    }
    assertHolds(slots(fit - 100), numbers(fit - 100, NOISE));
    assertThat(stat().usedBytes()).isLessThanOrEqualTo(MEMORY);
    underTest().free(slots(100));
    write(toomany, numbers(200, NOISE));
    assertHolds(toomany, numbers(200, NOISE));
  }

  @Test
  void allMemoryComesBack() throws IOException {
    underTest().swapon();
    for (long kind = 1; kind < 16; kind++) {
      write(slots(512), numbers(512, kind));
    }
    assertThat(stat().usedBytes()).isPositive();
    underTest().free(slots(512));
    assertThat(stat()).isEqualTo(
        new MmStat(0, 0, 0, MEMORY, stat().mostBytes(), 0, 0, 0, stat().hugePagesSince()));
  }

  @Test
  void zramctlShowsWhatMmStatHas() throws IOException {
    underTest().swapon();
    write(slots(16), numbers(16, NOISE));
    write(new long[] {100, 101}, ZEROS, ONE_WORD);
    Zramctl command = new Zramctl(List.of(underTest()));
    assertThat(command.zramctl().lines()).hasSize(2).last().asString().matches(
        "/dev/zram0  lz4 +4G +72K +64K +64K +4M +64K +2 +16");
    assertThat(command.zramctl("mm_stat").strip().split(" +")).containsExactly("73728", "65536",
        "65536", "4194304", "65536", "2", "0", "16", "16");
    assertThatThrownBy(() -> command.zramctl("all")).hasMessageContaining("zramctl mm_stat");
  }

  @Test
  void zramctlOfADeviceThatIsOffShowsZeros() {
    assertThat(new Zramctl(List.of(underTest())).zramctl()).contains("/dev/zram0").contains("0B");
  }

  @Test
  void settingsThatCannotBeAreRefusedByName() {
    assertThatThrownBy(() -> new SwapZram("a b", 1, 0)).hasMessageContaining("name");
    assertThatThrownBy(() -> new SwapZram("z", 0, 0)).hasMessageContaining("size.bytes");
    assertThatThrownBy(() -> new SwapZram("z", 1, 100)).hasMessageContaining("memory.limit.bytes");
  }
}
