// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.shell.Gogo;
import io.faultline.shell.Manual;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HelpTest {
  private final Gogo gogo = new Gogo().with(new Help()).with(new VmHelp()).with(new Unknown());

  @AfterEach
  void close() {
    gogo.close();
  }

  @Test
  void helpListsEveryCommandWithItsSummary() {
    String help = gogo.type("help");
    for (var command : Catalogue.typed()) {
      Manual manual = Manual.of(command);
      assertThat(help.lines().map(String::strip))
          .anyMatch(line -> line.startsWith(manual.name()) && line.endsWith(manual.summary()));
    }
  }

  @Test
  void helpOfACommandIsItsManualPage() {
    assertThat(gogo.type("help mmap")).isEqualTo(Manual.of(Mmap.class).page());
    assertThat(gogo.type("vmhelp faultline:mmap")).isEqualTo(Manual.of(Mmap.class).page());
  }

  @Test
  void helpGoesThroughAPipe() {
    assertThat(gogo.type("help | grep munmap")).contains("unmap a range").doesNotContain("poke");
  }

  @Test
  void helpOfNothingKnownSaysSoInOneLine() {
    assertThat(gogo.type("help nonsense"))
        .isEqualTo(
            "help: COMMAND 'nonsense' is not a command: help lists them; example: help mmap");
  }

  @Test
  void helpOfAnotherScopesCommandIsLeftToGogo() {
    assertThat(gogo.type("help wc")).isEqualTo("Gogo's help for wc");
  }

  @Test
  void anUnknownCommandIsAnsweredWithTheNearest() {
    assertThat(gogo.type("hepl mmap"))
        .isEqualTo("hepl: there is no such command; did you mean help?");
    assertThat(gogo.type("somethingelse"))
        .isEqualTo("somethingelse: there is no such command; help lists them");
  }

  @Test
  void aCommandThatWaitsForTheKernelSaysSo() {
    assertThat(gogo.type("maps 2"))
        .isEqualTo("maps: the kernel is not running, and this command needs it; see: lb kernel");
  }
}
