// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0", "4096, 4096", "0x1000, 4096", "16k, 16384", "16K, 16384", "2M, 2097152",
    "1G, 1073741824", "4p, 16384", "0x1b, 27", "18446744073709551615, -1"
  })
  void readsBytesPagesAndBinaryMultiples(String word, long bytes) throws WordException {
    assertThat(Size.parse(word)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "k", "-1", "+4", "4x", "four", "1.5k", "0x", "0x+1", "4 k"})
  void refusesWhatIsNoSizeAndSaysWhatToWrite(String word) {
    assertThatThrownBy(() -> Size.parse(word))
        .isInstanceOf(WordException.class)
        .hasMessage("is not a size: write 4096, 16k, 2M or 4p (pages)");
  }

  @Test
  void refusesWhatDoesNotFitIntoAWord() {
    assertThatThrownBy(() -> Size.parse("99999999999999999G"))
        .hasMessage("is more than 64 bits hold");
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "100, 100", "4096, 4k", "135168, 132k", "2097152, 2M", "1073741824, 1G"})
  void printsTheShortestExactForm(long bytes, String text) throws WordException {
    assertThat(Size.format(bytes)).isEqualTo(text);
    assertThat(Size.parse(text)).isEqualTo(bytes);
  }
}
