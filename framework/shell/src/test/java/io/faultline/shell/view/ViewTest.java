// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.shell.word.Address;
import io.faultline.shell.word.DataFormat;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.Test;

class ViewTest {
  private static final Table.Layout<String> LAYOUT =
      Table.Layout.<String>withEmpty("nothing")
          .text("WORD", word -> word)
          .number("LENGTH", word -> Integer.toString(word.length()))
          .text("END", word -> word.substring(word.length() - 1));

  @Test
  void tablesAlignTextLeftAndNumbersRight() {
    assertThat(LAYOUT.of(List.of("a", "longer word")).text())
        .isEqualTo(
            """
            WORD         LENGTH  END
            a                 1  a
            longer word      11  d""");
  }

  @Test
  void aTableWithoutRowsSaysSo() {
    assertThat(LAYOUT.of(List.of()).text()).isEqualTo("nothing");
  }

  @Test
  void aTableIsTheListOfItsRows() {
    assertThat(LAYOUT.of(List.of("a", "b"))).containsExactly("a", "b");
  }

  @Test
  void dumpsShowSixteenBytesARowWithTheirCharacters() {
    byte[] bytes = "hello\n\0world, here I am".getBytes(StandardCharsets.UTF_8);
    assertThat(new HexDump(0x7fff_f7ff_4000L, bytes).text())
        .isEqualTo(
            """
            7ffff7ff4000  68 65 6c 6c 6f 0a 00 77  6f 72 6c 64 2c 20 68 65  |hello..world, he|
            7ffff7ff4010  72 65 20 49 20 61 6d                              |re I am|""");
  }

  @Test
  void dumpsShowRowsThatRepeatAsOneStar() {
    assertThat(new HexDump(0x1000, new byte[80]).text().lines())
        .containsExactly(
            "00001000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|",
            "*",
            "00001040  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|");
  }

  @Test
  void valuesShowAsManyHexDigitsAsTheyHaveBytes() {
    assertThat(new ValueRow(new Address(0x1000), -2, DataFormat.SHORT).text())
        .isEqualTo("-2 (0xfffe)");
  }

  @Test
  void linesAreTheKernelsBytes() {
    String kernelText = "00400000-00401000 r--p 00000000 fe:01 12 /bin/\u00c3\u00bc\n";
    assertThat(Lines.of(kernelText).text())
        .isEqualTo("00400000-00401000 r--p 00000000 fe:01 12 /bin/ü");
  }

  @Test
  void theConverterGivesTextToReadAndTheHandleAsAWord() {
    FaultlineConverter converter = new FaultlineConverter();
    FileRow file = new FileRow(3, "/dev/zero", "rw", 0);
    assertThat(converter.format(file, Converter.INSPECT, converter))
        .isEqualTo("fd 3: /dev/zero (rw)");
    assertThat(converter.format(file, Converter.LINE, converter)).isEqualTo("3");
    assertThat(converter.convert(String.class, file)).isEqualTo("3");
  }

  @Test
  void theConverterLeavesOthersAlone() {
    FaultlineConverter converter = new FaultlineConverter();
    assertThat(converter.format("text", Converter.INSPECT, converter)).isNull();
    assertThat(converter.convert(String.class, 3)).isNull();
  }
}
