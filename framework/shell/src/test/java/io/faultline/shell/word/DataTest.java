// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataTest {
  @Test
  void textKnowsTheEscapesOfC() throws WordException {
    assertThat(Bytes.ofText("a\\n\\t\\r\\0\\\\\\x7f"))
        .containsExactly('a', '\n', '\t', '\r', 0, '\\', 0x7f);
  }

  @Test
  void textIsUtf8() throws WordException {
    assertThat(Bytes.ofText("für 𝄞")).isEqualTo("für 𝄞".getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\q", "\\x1", "\\xzz", "end\\"})
  void anUnknownEscapeIsRefused(String text) {
    assertThatThrownBy(() -> Bytes.ofText(text)).isInstanceOf(WordException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"deadbeef", "de ad be ef", "0xde 0xad 0xbe 0xef", "DEAD_BEEF"})
  void hexTakesBlanksAndPrefixes(String text) throws WordException {
    assertThat(Bytes.ofHex(text)).containsExactly(0xde, 0xad, 0xbe, 0xef);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "d", "dea", "xy"})
  void hexThatIsNoneIsRefused(String text) {
    assertThatThrownBy(() -> Bytes.ofHex(text)).isInstanceOf(WordException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "BYTE, 255, 255", "BYTE, -128, -128", "SHORT, 0xffff, 65535", "INT, -1, -1",
    "INT, 4294967295, 4294967295", "LONG, 0xffffffffffffffff, -1", "LONG, 18446744073709551615, -1"
  })
  void integersAreSignedOrUnsigned(DataFormat format, String word, long value)
      throws WordException {
    assertThat(format.parseInteger(word)).isEqualTo(value);
  }

  @ParameterizedTest
  @CsvSource({"BYTE, 256", "BYTE, -129", "SHORT, 65536", "INT, 4294967296"})
  void integersThatDoNotFitAreRefused(DataFormat format, String word) {
    assertThatThrownBy(() -> format.parseInteger(word)).hasMessageStartingWith("does not fit into");
  }

  @Test
  void formatsHaveTheirNamesAndThoseOfC() {
    assertThat(DataFormat.find("int")).isEqualTo(DataFormat.INT);
    assertThat(DataFormat.find("u32")).isEqualTo(DataFormat.INT);
    assertThat(DataFormat.find("u8")).isEqualTo(DataFormat.BYTE);
    assertThat(DataFormat.find("float")).isNull();
  }
}
