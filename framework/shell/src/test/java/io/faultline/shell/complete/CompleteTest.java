// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.shell.BootedShell;
import io.faultline.shell.command.Help;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.felix.gogo.jline.Parser;
import org.apache.felix.gogo.jline.Shell;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.jline.builtins.Completers;
import org.jline.builtins.Completers.CompletionData;
import org.jline.reader.Candidate;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Presses Tab: JLine's completer and Gogo's parser, as the interactive shell puts them together. */
class CompleteTest {
  private BootedShell shell;

  @BeforeEach
  void boot() {
    shell = new BootedShell();
    var kernel = shell.kernel();
    shell.gogo()
        .with(new Complete(
            kernel.tasks(), kernel.vmas(), kernel.devices(), kernel.proc(), kernel.swaps()))
        .with(new Help())
        .listen(new CompletionInstaller());
    shell.gogo().session().put(Shell.VAR_COMPLETIONS, new HashMap<String, List<CompletionData>>());
    shell.type(
        "spawn demo", "spawn cat", "open 1 /dev/scullp0",
        "mmap 1 2p rw- shared,fixed 0 at 0x10000");
  }

  @AfterEach
  void close() {
    shell.close();
  }

  private List<Candidate> candidates(String line) {
    CommandSession session = shell.gogo().session();
    Completers.CompletionEnvironment environment =
        new Completers.CompletionEnvironment() {
          @Override
          public Map<String, List<CompletionData>> getCompletions() {
            return Shell.getCompletions(session);
          }

          @Override
          public Set<String> getCommands() {
            return Shell.getCommands(session);
          }

          @Override
          public String resolveCommand(String command) {
            return Shell.resolve(session, command);
          }

          @Override
          public String commandName(String command) {
            return command.substring(command.indexOf(':') + 1);
          }

          @Override
          public Object evaluate(LineReader reader, ParsedLine parsed, String function)
              throws Exception {
            session.put(Shell.VAR_COMMAND_LINE, parsed);
            return session.execute(function);
          }
        };
    List<Candidate> candidates = new ArrayList<>();
    ParsedLine parsed =
        new Parser()
            .parse(line, line.length(), org.jline.reader.Parser.ParseContext.COMPLETE);
    new Completers.Completer(environment).complete(null, parsed, candidates);
    return candidates;
  }

  private List<String> tab(String line) {
    return candidates(line).stream().map(Candidate::value).toList();
  }

  @Test
  void commandsAreOfferedWithTheirSummaries() {
    assertThat(candidates("ma"))
        .anySatisfy(
            candidate -> {
              assertThat(candidate.value()).isEqualTo("maps");
              assertThat(candidate.descr()).startsWith("print /proc/PID/maps");
            });
  }

  @Test
  void processesAreOfferedWithTheirNames() {
    assertThat(tab("maps ")).containsExactly("1", "2");
    assertThat(candidates("maps ").getLast().descr()).isEqualTo("cat");
  }

  @Test
  void descriptorsOfTheProcessAreOffered() {
    assertThat(tab("close 1 ")).containsExactly("0");
    assertThat(tab("close 2 ")).isEmpty();
    assertThat(candidates("close 1 ").getFirst().descr()).isEqualTo("/dev/scullp0");
  }

  @Test
  void devicesAreOffered() {
    assertThat(tab("open 1 /dev/s"))
        .containsExactly("/dev/scullp0", "/dev/scullp1", "/dev/scullp2", "/dev/scullp3");
    assertThat(tab("open 1 /dev/scullp0 ")).containsExactly("r", "w", "rw");
  }

  @Test
  void swapDevicesAreOfferedWhereTheyCanBeSwitched() throws Exception {
    shell.zram("/dev/zram0");
    shell.zram("/dev/zram1");
    shell.kernel().swaps().swapoff("/dev/zram1");
    assertThat(tab("swapoff ")).containsExactly("/dev/zram0");
    assertThat(tab("swapon ")).containsExactly("/dev/zram1");
  }

  @Test
  void addressesOfAreasAreOfferedAndThenTheirLength() {
    assertThat(tab("munmap 1 ")).startsWith("0x10000").hasSize(7);
    assertThat(candidates("munmap 1 ").getFirst().descr()).isEqualTo("rw-s 8k /dev/scullp0");
    assertThat(tab("munmap 1 0x10000 ")).containsExactly("8k");
    assertThat(tab("mprotect 1 0x10000 8k ")).contains("rw-", "r--", "none");
  }

  @Test
  void flagsAreOfferedAndJoined() {
    assertThat(tab("mmap 1 4p rw- ")).contains("shared", "private", "at");
    assertThat(tab("mmap 1 4p rw- shared,fi")).contains("shared,fixed", "shared,fixed_noreplace");
    assertThat(tab("mremap 1 0x10000 8k 16k ")).contains("maymove").doesNotContain("shared");
  }

  @Test
  void namesOfSignalsAdviceAndEventsAreOffered() {
    assertThat(tab("kill 1 ")).contains("SIGTERM");
    assertThat(tab("madvise 1 0x10000 8k ")).contains("dontneed");
    assertThat(tab("trace ")).containsExactly("on", "off");
    assertThat(tab("trace on 1 ")).contains("nopage", "all");
  }

  @Test
  void helpOffersCommandsThoughGogoHasAHelpOfItsOwn() {
    assertThat(tab("help m")).contains("mmap", "munmap");
  }

  @Test
  void withAProcessInUseItsThingsAreOfferedAtOnce() {
    shell.type("use 1");
    assertThat(tab("close ")).containsExactly("0");
    assertThat(tab("close @")).contains("@1", "@2");
    assertThat(tab("munmap ")).startsWith("0x10000");
  }

  @Test
  void theSecondCommandOfALineIsCompletedToo() {
    assertThat(tab("ps; maps ")).containsExactly("1", "2");
  }

  @Test
  void nothingIsOfferedWhereNothingMayFollow() {
    assertThat(tab("maps 1 ")).isEmpty();
  }

  /** What another bundle brings along. */
  public static final class Modules {
    @Descriptor("""
        install a driver
        usage: insmod NAME
        example: insmod scullp""")
    public void insmod(String name) {}

    public List<String> __insmod() {
      return List.of("scullp", "simple");
    }
  }

  @Test
  void commandsOfOtherBundlesAreDescribedAndOfferTheirOwnWords() {
    shell.gogo().add(new Modules(), "insmod", "__insmod");
    assertThat(shell.type("help insmod")).startsWith("insmod - install a driver");
    assertThat(shell.type("help")).contains("Of other bundles");
    assertThat(tab("insmod ")).containsExactly("scullp", "simple");
    assertThat(candidates("ins").stream().map(Candidate::descr)).contains("install a driver");
  }
}
