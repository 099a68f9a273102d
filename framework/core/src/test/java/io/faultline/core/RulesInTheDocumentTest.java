// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.faultline.core.area.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the engine calls {@code RULES n} can be looked up in {@code docs/exactness.md}. */
class RulesInTheDocumentTest {
  private static final Pattern NUMBER = Pattern.compile("RULES (\\d+)");

  private static List<Rule> rules() {
    List<Rule> rules = new ArrayList<>();
    for (JavaClass found : new ClassFileImporter()
        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
        .importPackages("io.faultline.core")) {
      if (found.isEnum() && found.isAssignableTo(Rule.class)) {
        for (Object constant : found.reflect().getEnumConstants()) {
          rules.add((Rule) constant);
        }
      }
    }
    return rules;
  }

  @Test
  void eachNumberIsARowThatNamesTheClass() throws IOException {
    List<String> rows = Files.readAllLines(Path.of("..", "..", "docs", "exactness.md"));
    assertThat(rules()).hasSizeGreaterThan(100);
    for (Rule rule : rules()) {
      Matcher number = NUMBER.matcher(rule.facts().source());
      while (number.find()) {
        String row = "| " + number.group(1) + " |";
        String decider = "`" + rule.facts().decider().getSimpleName() + "`";
        assertThat(rows)
            .as("%s: %s, by %s", rule.name(), number.group(), decider)
            .anyMatch(line -> line.startsWith(row) && line.contains(decider));
      }
    }
  }

  @Test
  void eachRuleNamesWhatItIsAndWhoDecides() {
    assertThat(rules())
        .allSatisfy(
            rule -> {
              assertThat(rule.text()).as(rule.name()).isNotBlank().doesNotEndWith(".");
              assertThat(rule.facts().source()).as(rule.name()).isNotBlank();
              assertThat(rule.facts().decider().getPackageName()).startsWith("io.faultline.core");
            });
  }
}
