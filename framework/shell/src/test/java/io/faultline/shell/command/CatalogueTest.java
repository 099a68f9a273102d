// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.shell.Command;
import io.faultline.shell.Manual;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class CatalogueTest {
  private static final Path CLASSES = Path.of("target/classes");

  @Test
  void theManifestHasEveryCommandAndNoOther() throws IOException {
    Set<String> components = new TreeSet<>();
    for (String file : serviceComponents()) {
      Matcher function =
          Pattern.compile("name=\"osgi.command.function\"[^>]*?(?:value=\"(\\w+)\"|>\\s*(\\w+))")
              .matcher(Files.readString(CLASSES.resolve(file), StandardCharsets.UTF_8));
      if (function.find()) {
        String name = function.group(1) != null ? function.group(1) : function.group(2);
        if (!name.startsWith("_") && !name.equals("default")) {
          components.add(name);
        }
      }
    }
    Set<String> catalogue = new TreeSet<>();
    Catalogue.typed().forEach(command -> catalogue.add(Manual.of(command).name()));
    assertThat(components).isEqualTo(catalogue).hasSizeGreaterThan(20);
  }

  private static List<String> serviceComponents() throws IOException {
    try (var in = Files.newInputStream(CLASSES.resolve("META-INF/MANIFEST.MF"))) {
      String header = new Manifest(in).getMainAttributes().getValue("Service-Component");
      return Arrays.asList(header.split(","));
    }
  }

  @Test
  void everyManualBeginsWithItsCommandInUsageAndExamples() {
    for (Class<? extends Command> command : Catalogue.typed()) {
      Manual manual = Manual.of(command);
      assertThat(manual.page().lines().skip(1).findFirst().orElseThrow())
          .startsWith("  " + manual.name());
      assertThat(manual.examples())
          .allMatch(example -> example.contains(manual.name()), manual.name());
    }
  }

  @Test
  void manualsFitIntoAHundredColumns() {
    for (Class<? extends Command> command : Catalogue.typed()) {
      assertThat(Manual.of(command).page().lines()).allMatch(line -> line.length() <= 106);
    }
  }

  @Test
  void aManualPageHasSummaryUsageNotesAndExamples() {
    assertThat(Manual.of(Kill.class).page())
        .isEqualTo(
            """
            kill - end a process by a signal, SIGTERM if none is named
              kill [PID] [SIGNAL]
              SIGNAL is SIGTERM, SIGKILL, SIGSEGV or SIGBUS, with or without SIG, or its number.
              example: kill 1
              example: kill 1 SIGKILL""");
  }

  @Test
  void aCommandIsFoundWithAndWithoutItsScope() {
    assertThat(Catalogue.find("maps")).isEqualTo(Catalogue.find("faultline:maps")).isNotNull();
    assertThat(Catalogue.find("lb")).isNull();
  }
}
