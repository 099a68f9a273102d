// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressTest {
  @ParameterizedTest
  @CsvSource({
    "0x7ffff7ff4000, 140737354088448", "7ffff7ff4000, 140737354088448", "400000, 4194304",
    "0x1000+1p, 8192", "1000+16, 4112", "0xffffffffff600000, -10485760"
  })
  void isHexWithOrWithoutPrefixAndTakesAnOffset(String word, long value) throws WordException {
    assertThat(Address.parse(word).value()).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0x", "heap", "-1", "+1", "0x-1", "0x10000000000000000"})
  void refusesWhatIsNoAddress(String word) {
    assertThatThrownBy(() -> Address.parse(word))
        .isInstanceOf(WordException.class)
        .hasMessageStartingWith("is not an address: write it in hex");
  }

  @Test
  void printsAsWhatItReads() throws WordException {
    Address address = new Address(0x7fff_f7ff_4000L);
    assertThat(address).hasToString("0x7ffff7ff4000");
    assertThat(Address.parse(address.toString())).isEqualTo(address);
  }

  @Test
  void aRangeIsReadAsMapsPrintsIt() throws WordException {
    assertThat(Range.parse("7ffff7ff4000-7ffff7ff6000"))
        .isEqualTo(new Range(0x7fff_f7ff_4000L, 0x2000))
        .hasToString("0x7ffff7ff4000-0x7ffff7ff6000");
  }

  @Test
  void aRangeDoesNotEndBeforeItStarts() {
    assertThatThrownBy(() -> Range.parse("2000-1000")).hasMessage("ends before it starts");
  }
}
