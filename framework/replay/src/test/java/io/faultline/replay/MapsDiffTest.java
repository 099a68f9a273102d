// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.replay.recording.Digest;
import org.junit.jupiter.api.Test;

class MapsDiffTest {
  private static final String BEFORE =
      """
      00400000-00401000 r-xp 00000000 fe:00 7                                  /bin/a
      00500000-00504000 rw-p 00000000 00:00 0\s
      7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]
      """;

  private static final String SPLIT =
      """
      00400000-00401000 r-xp 00000000 fe:00 7                                  /bin/a
      00500000-00502000 rw-p 00000000 00:00 0\s
      00502000-00504000 rw-p 00000000 00:00 0\s
      7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]
      """;

  private static final String GREW =
      """
      00400000-00401000 r-xp 00000000 fe:00 7                                  /bin/a
      00500000-00504000 rw-p 00000000 00:00 0\s
      00504000-00506000 rw-p 00000000 00:00 0\s
      7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]
      """;

  private static final String GREW_JOINED =
      """
      00400000-00401000 r-xp 00000000 fe:00 7                                  /bin/a
      00500000-00506000 rw-p 00000000 00:00 0\s
      7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]
      """;

  @Test
  void aLineIsPrintedAsItWasRead() {
    for (String line : GREW.split("\n")) {
      assertThat(MapsLine.parse(line).text()).isEqualTo(line + "\n");
    }
  }

  @Test
  void theKernelsMapIsFoundWhenTheKernelChangedNothing() {
    assertThat(KernelMapSearch.find(Digest.of(BEFORE), BEFORE, SPLIT)).isEqualTo(BEFORE);
  }

  @Test
  void theKernelsMapIsFoundWhenTheKernelJoinedNeighbours() {
    assertThat(KernelMapSearch.find(Digest.of(GREW_JOINED), BEFORE, GREW)).isEqualTo(GREW_JOINED);
  }

  @Test
  void theKernelsMapIsFoundWhenTheKernelKeptABoundary() {
    assertThat(KernelMapSearch.find(Digest.of(GREW), BEFORE, GREW_JOINED)).isEqualTo(GREW);
  }

  @Test
  void nothingIsFoundWhereMuchIsDifferent() {
    assertThat(KernelMapSearch.find(Digest.of("something else\n"), BEFORE, GREW)).isNull();
  }

  @Test
  void onlyWhatDiffersStandsSideBySide() {
    assertThat(MapsDiff.of(BEFORE, SPLIT).toString())
        .isEqualTo(
            """
              Linux                                                   | Faultline
              00400000-00401000 r-xp 00000000 fe:00 7 /bin/a          | 00400000-00401000 r-xp 00000000 fe:00 7 /bin/a
            > 00500000-00504000 rw-p 00000000 00:00 0                 | 00500000-00502000 rw-p 00000000 00:00 0
            >                                                         | 00502000-00504000 rw-p 00000000 00:00 0
              7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack] | 7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]
            """);
  }

  @Test
  void theOrderOfFlagsHasNoMeaning() {
    assertThat(FlagsText.same("1000-2000 rd wr\n", "1000-2000 wr rd \n")).isTrue();
    assertThat(FlagsText.same("1000-2000 rd wr\n", "1000-2000 rd\n")).isFalse();
    assertThat(FlagsText.same("1000-2000 rd\n", "1000-2000 rd\n2000-3000 rd\n")).isFalse();
  }
}
