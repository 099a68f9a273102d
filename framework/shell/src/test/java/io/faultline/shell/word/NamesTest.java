// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.mm.Mman;
import java.lang.reflect.Field;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"shared,fixed", "SHARED|FIXED", "MAP_SHARED,MAP_FIXED", "Shared+fixed", "0x11"})
  void flagsAreJoinedNamesWithOrWithoutPrefixOrANumber(String word) throws WordException {
    assertThat(MmanNames.MAP.union(word)).isEqualTo(Mman.MAP_SHARED | Mman.MAP_FIXED);
  }

  @Test
  void aMisspeltNameIsAnsweredWithTheNearest() {
    assertThatThrownBy(() -> MmanNames.MAP.union("shraed,fixed"))
        .hasMessage("has 'shraed' in it, which is not known: did you mean shared?");
  }

  @Test
  void aNameThatIsNearNoneIsAnsweredWithAll() {
    assertThatThrownBy(() -> MmanNames.MREMAP.union("somewhere"))
        .hasMessage("is not known: write maymove, fixed, dontunmap");
  }

  @Test
  void anEmptyNameIsNoName() {
    assertThatThrownBy(() -> MmanNames.MAP.union("shared,,fixed"))
        .hasMessageStartingWith("has '' in it, which is not known");
  }

  /** The tables here repeat the constants of Mman; a slip of the pen would map something else. */
  @Test
  void everyNameHasTheValueOfItsConstant() throws Exception {
    Map<String, Names> tables =
        Map.of(
            "PROT_", MmanNames.PROT, "MAP_", MmanNames.MAP, "MREMAP_", MmanNames.MREMAP, "MADV_",
            MmanNames.MADV);
    for (Map.Entry<String, Names> table : tables.entrySet()) {
      for (String name : table.getValue().all()) {
        String constant = name.equals("anon") ? "anonymous" : name;
        Field field =
            Mman.class.getField(table.getKey() + constant.toUpperCase(Locale.ROOT));
        assertThat(table.getValue().one(name)).as(field.getName()).isEqualTo(field.getInt(null));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "rw-, 3", "rw, 3", "r, 1", "r-x, 5", "rwx, 7", "---, 0", "none, 0", "'read,write', 3",
    "READ|WRITE, 3", "PROT_READ, 1", "0x3, 3", "'read,growsdown', 16777217"
  })
  void protectionsAreLettersOrNames(String word, int prot) throws WordException {
    assertThat(ProtectionWord.parse(word)).isEqualTo(prot);
  }

  @Test
  void aLetterTwiceIsAMistake() {
    assertThatThrownBy(() -> ProtectionWord.parse("rr-")).hasMessage("names 'r' twice");
  }

  @Test
  void whatIsNoProtectionIsAnsweredWithWhatIs() {
    assertThatThrownBy(() -> ProtectionWord.parse("rwz"))
        .hasMessage("is not a protection: write rw-, r--, r-x, none or read,write");
  }
}
