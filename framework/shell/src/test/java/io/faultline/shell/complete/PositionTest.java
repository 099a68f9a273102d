// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.shell.Usage.Slot;
import io.faultline.shell.command.Catalogue;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class PositionTest {
  /** The values that may come next; the line's last word is the one being typed. */
  private static List<String> next(boolean processChosen, String line) {
    return position(processChosen, line).slots().stream().map(Slot::value).toList();
  }

  private static Position position(boolean processChosen, String line) {
    List<String> words = List.of(line.split(" ", -1));
    return Position.of(
        Objects.requireNonNull(Catalogue.find(words.getFirst())).usage(),
        words.subList(1, words.size() - 1),
        words.getLast(),
        processChosen);
  }

  @Test
  void theProcessComesFirst() {
    assertThat(next(false, "mmap ")).containsExactly("PID");
    assertThat(next(false, "mmap 2 ")).containsExactly("LENGTH");
    assertThat(next(false, "mmap 2 4p ")).containsExactly("PROTECTION");
  }

  @Test
  void theProcessIsLeftOutWhereOneIsInUse() {
    assertThat(next(true, "mmap ")).containsExactly("LENGTH");
    assertThat(next(true, "mmap 4p ")).containsExactly("PROTECTION");
  }

  @Test
  void anotherProcessThanTheOneInUseIsWrittenWithAnAt() {
    assertThat(next(true, "mmap @")).contains("PID");
    assertThat(next(true, "mmap @3 ")).containsExactly("LENGTH");
    assertThat(position(true, "close @3 ").pid()).isEqualTo("@3");
  }

  @Test
  void whatMayBeLeftOutIsOfferedTogetherWithWhatFollows() {
    assertThat(next(false, "mmap 2 4p rw- ")).containsExactly("FLAGS", "FD", "OFFSET");
    assertThat(next(false, "mmap 2 4p rw- shared ")).containsExactly("FD", "OFFSET");
    assertThat(next(false, "mmap 2 4p rw- 3 ")).containsExactly("OFFSET");
    assertThat(next(false, "vmas ")).containsExactly("PID", "ADDRESS");
  }

  @Test
  void aKeywordAnnouncesItsValue() {
    assertThat(position(false, "mmap 2 4p rw- ").keywords()).containsExactly("at");
    assertThat(next(false, "mmap 2 4p rw- at ")).containsExactly("ADDRESS");
    assertThat(position(false, "mmap 2 4p rw- at 0x1000 ").keywords()).isEmpty();
  }

  @Test
  void keywordsWaitForWhatMustComeFirst() {
    assertThat(position(false, "mmap 2 ").keywords()).isEmpty();
  }

  @Test
  void choicesAreOffered() {
    assertThat(next(false, "trace ")).containsExactly("on|off");
    assertThat(next(false, "trace on ")).containsExactly("PID", "KIND");
  }

  @Test
  void whatRepeatsIsOfferedAgain() {
    assertThat(next(false, "trace on nopage ")).containsExactly("KIND");
    assertThat(next(false, "trace on nopage open ")).containsExactly("KIND");
  }

  @Test
  void nothingIsOfferedBehindTheLastArgument() {
    assertThat(next(false, "close 2 3 ")).isEmpty();
  }
}
