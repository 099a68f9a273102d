// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.kernel.Task;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The shape of our texts against this machine's own {@code /proc}: names, order, widths, blanks.
 * Elsewhere than on the engine's own kernel it is skipped with one line.
 */
@FaultlineTest(memory = 16 << 20)
class ProcFormatTest {
  /** Lines of a processor or a build of the kernel that others do not have. */
  private static final List<String> OPTIONAL = List.of("ProtectionKey", "DirectMap");

  @BeforeAll
  static void onTheKernelThatTheEngineIs() {
    OwnKernel.assumeItIsTheEngines("formats of /proc");
  }

  private static String real(String name) throws IOException {
    return new String(Files.readAllBytes(Path.of("/proc", name)), StandardCharsets.ISO_8859_1);
  }

  private static String ours(Kernel kernel, String name) throws Exception {
    Task task = kernel.tasks().spawn("demo");
    byte[] bytes = name.startsWith("self/")
        ? kernel.proc().read(task, name.substring("self/".length()))
        : kernel.proc().read(name);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** The shape of each line: its words, and the width of a number with the blanks before it. */
  private static List<String> shapes(String text) {
    List<String> shapes = new ArrayList<>();
    for (String line : text.split("\n")) {
      if (OPTIONAL.stream().noneMatch(line::startsWith)) {
        shapes.add(shape(line));
      }
    }
    return shapes;
  }

  private static String shape(String line) {
    if (line.startsWith("VmFlags: ")) {
      return line.matches("VmFlags: ([a-z]{2} )+") ? "VmFlags: " : line;
    }
    if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
      return line.endsWith("]") ? "area" + line.indexOf('[') : "area";
    }
    int digits = line.replaceFirst(" kB$", "").length();
    return line.replaceFirst(" *[0-9]+( kB)?$", "") + "|" + digits
        + (line.endsWith(" kB") ? " kB" : "");
  }

  @Test
  void smapsIsWhatTheKernelPrintsForAnyArea(Kernel kernel) throws Exception {
    List<String> real = shapes(real("self/smaps")).stream().distinct().toList();
    List<String> ours = shapes(ours(kernel, "self/smaps")).stream().distinct().toList();
    List<String> lines = ours.stream().filter(line -> !line.startsWith("area")).toList();
    assertThat(lines).hasSizeGreaterThan(22);
    assertThat(real.stream().filter(line -> !line.startsWith("area")).toList()).isEqualTo(lines);
    assertThat(real("self/smaps")).endsWith(withoutKeys(
        ours(kernel, "self/smaps")
            .substring(ours(kernel, "self/smaps").indexOf("ffffffffff600000"))));
  }

  private static String withoutKeys(String text) {
    return text.replaceAll("(?m)^ProtectionKey:.*\\n", "");
  }

  @Test
  void rollupIsWhatTheKernelPrints(Kernel kernel) throws Exception {
    List<String> lines = shapes(ours(kernel, "self/smaps_rollup"));
    assertThat(lines).hasSizeGreaterThan(20).first().asString().startsWith("area7");
    assertThat(lines).isEqualTo(shapes(real("self/smaps_rollup")));
  }

  @Test
  void meminfoIsWhatTheKernelPrints(Kernel kernel) throws Exception {
    assertThat(shapes(ours(kernel, "meminfo"))).isEqualTo(shapes(real("meminfo")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"self/status", "self/limits"})
  void theLinesThatAreThereAreTheKernels(String name, Kernel kernel) throws Exception {
    List<String> real = names(real(name));
    List<String> ours = names(ours(kernel, name));
    assertThat(ours).hasSizeGreaterThan(4).isSubsetOf(real);
    assertThat(real.stream().filter(ours::contains).toList()).isEqualTo(ours);
    assertThat(columns(ours(kernel, name))).isSubsetOf(columns(real(name)));
  }

  private static List<String> names(String text) {
    return text.lines().map(line -> line.split(":\t|  +")[0]).toList();
  }

  /** Where a line of limits has its columns; of status, how wide a number of kB is. */
  private static List<String> columns(String text) {
    return text.lines().filter(line -> line.endsWith(" kB") || line.startsWith("Max"))
        .map(line -> line.endsWith(" kB") ? line.substring(0, line.indexOf('\t')) + line.length()
            : line.substring(0, 25) + line.length())
        .toList();
  }

  @Test
  void statmHasSevenNumbers(Kernel kernel) throws Exception {
    String numbers = "([0-9]+ ){4}0 [0-9]+ 0\n";
    assertThat(real("self/statm")).matches(numbers);
    assertThat(ours(kernel, "self/statm")).matches(numbers);
  }

  @Test
  void vmstatHasTheNamesInTheirOrder(Kernel kernel) throws Exception {
    List<String> real = names(real("vmstat"), " ");
    List<String> ours = names(ours(kernel, "vmstat"), " ");
    // Which there are depends on how a kernel was built.
    assertThat(ours.stream().filter(real::contains).toList()).hasSizeGreaterThan(150)
        .isEqualTo(real.stream().filter(ours::contains).toList());
    assertThat(ours(kernel, "vmstat")).matches("([a-z0-9_]+ [0-9]+\n)+");
  }

  private static List<String> names(String text, String separator) {
    return Stream.of(text.split("\n")).map(line -> line.split(separator)[0]).toList();
  }

  @Test
  void zoneinfoHasTheLinesOfAZone(Kernel kernel) throws Exception {
    List<String> real = zone(real("zoneinfo"));
    List<String> ours = zone(ours(kernel, "zoneinfo"));
    assertThat(ours).hasSizeGreaterThan(70).isSubsetOf(real);
    assertThat(ours(kernel, "zoneinfo")).startsWith("Node 0, zone   Normal\n  per-node stats\n");
  }

  private static List<String> zone(String text) {
    return text.lines().map(line -> line.replaceFirst("[0-9]+$", "#").replaceFirst(
        "[(][0-9, ]+[)]", "(#)")).toList();
  }

  @Test
  void swapsHasTheHeadLine(Kernel kernel) throws Exception {
    assertThat(ours(kernel, "swaps")).startsWith(
        real("swaps").substring(0, real("swaps").indexOf('\n') + 1));
  }

  @Test
  void commIsTheName(Kernel kernel) throws Exception {
    assertThat(real("self/comm")).isEqualTo("java\n");
    assertThat(ours(kernel, "self/comm")).isEqualTo("demo\n");
  }
}
