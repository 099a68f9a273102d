// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.kernel.Task;
import io.faultline.shell.BootedShell;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that show {@code /proc}, on a process with four private pages, two of them written. */
class ProcCommandsTest {
  private BootedShell shell;
  @TempDir private Path directory;

  @BeforeEach
  void boot() {
    shell = new BootedShell();
    shell.type("spawn demo", "a = (mmap 1 4p rw-)", "poke 1 $a x", "poke 1 ${a}+1p x");
  }

  @AfterEach
  void close() {
    shell.close();
  }

  private Task process() {
    return shell.kernel().tasks().find(1).orElseThrow();
  }

  @Test
  void theTextsAreTheKernels() {
    var proc = shell.kernel().proc();
    assertThat(shell.type("smaps 1")).isEqualTo(proc.smaps(process()).stripTrailing())
        .contains("Private_Dirty:         8 kB");
    assertThat(shell.type("status 1")).isEqualTo(proc.status(process()).stripTrailing())
        .contains("RssAnon:\t       8 kB");
    assertThat(shell.type("statm 1")).isEqualTo(proc.statm(process()).stripTrailing());
    assertThat(shell.type("meminfo")).isEqualTo(proc.meminfo().stripTrailing());
    assertThat(shell.type("vmstat").lines()).contains("nr_anon_pages 2");
    assertThat(shell.type("iomem")).contains(" : System RAM");
    assertThat(shell.type("zoneinfo")).startsWith("Node 0, zone   Normal");
    assertThat(shell.type("swaps")).isEqualTo("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority");
  }

  @Test
  void pagemapSaysWhatItsWordsMean() {
    assertThat(shell.type("pagemap 1 $a 4").lines().skip(1)).hasSize(2)
        .allMatch(line -> line.contains("present, frame ") && line.endsWith(
            "mapped once, written"));
    assertThat(shell.type("pagemap 1 ${a}+2p 1")).isEqualTo("no pages there");
    assertThat(shell.type("pagemap 1 $a 0")).contains("PAGES '0' is no number of pages");
    assertThat(shell.type("pagemap 1 ffffffffff600000")).contains("outside of user space");
  }

  @Test
  void whatWasClearedIsSeenWhenItIsWrittenAgain() {
    shell.type("clear_refs 1 4", "poke 1 $a y");
    assertThat(shell.type("pagemap 1 $a 2").lines().skip(1).map(line -> line.endsWith("written")))
        .containsExactly(true, false);
    shell.type("clear_refs 1 1");
    assertThat(shell.type("proc cat 1 smaps_rollup").lines())
        .contains("Referenced:            0 kB");
    assertThat(shell.type("clear_refs 1 6")).contains("'6' is none of 1 to 5");
  }

  @Test
  void freeAddsUp() {
    String[] memory = shell.type("free").lines().skip(1).findFirst().orElseThrow().split(" +");
    assertThat(Long.parseLong(memory[1])).isEqualTo((16 << 10) - 4);
    assertThat(Long.parseLong(memory[2]) + Long.parseLong(memory[6]))
        .isEqualTo(Long.parseLong(memory[1]));
  }

  @Test
  void procListsAndPrintsFilesByName() {
    assertThat(shell.type("proc ls 1").lines()).contains("cmdline", "comm", "maps", "smaps",
        "status");
    assertThat(shell.type("proc cat 1 comm")).isEqualTo("demo");
    assertThat(shell.type("proc cat 1 nothing")).contains("'nothing' is no file of /proc/PID");
    assertThat(shell.type("proc eat 1 comm")).contains("'eat' is none of ls, cat, export");
  }

  @Test
  void exportWritesEveryFile() throws IOException {
    assertThat(shell.type("proc export 1 " + directory.resolve("out")))
        .endsWith(" files written to " + directory.resolve("out"));
    var proc = shell.kernel().proc();
    for (String name : proc.entries(process())) {
      assertThat(directory.resolve("out/1").resolve(name)).isNotEmptyFile();
    }
    for (String name : proc.entries()) {
      assertThat(directory.resolve("out").resolve(name)).isNotEmptyFile();
    }
    assertThat(directory.resolve("out/1/maps")).hasContent(proc.maps(process()));
    long address = Long.decode(shell.type("echo $a"));
    try (FileChannel pagemap = FileChannel.open(directory.resolve("out/1/pagemap"))) {
      ByteBuffer words = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
      assertThat(pagemap.read(words, address / 4096 * 8)).isEqualTo(32);
      words.flip();
      for (long word : proc.pagemap(process(), address, 4)) {
        assertThat(words.getLong()).isEqualTo(word);
      }
    }
  }

  @Test
  void exportThatFailsLeavesNoFile() throws IOException {
    Path out = Files.createDirectory(directory.resolve("out"));
    Files.createDirectories(out.resolve("1/.pagemap.part/in the way"));
    assertThat(shell.type("proc export 1 " + out)).startsWith("proc: cannot write " + out);
    try (Stream<Path> left = Files.walk(out)) {
      assertThat(left.filter(Files::isRegularFile).toList()).isEqualTo(List.of());
    }
  }
}
