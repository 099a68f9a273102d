// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
  private static final String KEY = "faultline.test.setting";

  @TempDir Path folder;

  @AfterEach
  void forget() {
    System.clearProperty(KEY);
  }

  private Map<String, String> read(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("config.properties"), text);
    return Settings.read(file, Map.of("faultline.home", "/opt/a $1 b"));
  }

  @Test
  void variablesStandForTheirValues() throws IOException {
    assertThat(read(KEY + "=${faultline.home}/x:${faultline.home}/y"))
        .containsEntry(KEY, "/opt/a $1 b/x:/opt/a $1 b/y");
  }

  @Test
  void variablesAreSettingsToo() throws IOException {
    assertThat(read("")).containsEntry("faultline.home", "/opt/a $1 b");
  }

  @Test
  void aSystemPropertyWins() throws IOException {
    System.setProperty(KEY, "${faultline.home}/mine");
    assertThat(read(KEY + "=file")).containsEntry(KEY, "/opt/a $1 b/mine");
  }

  @Test
  void anUnknownVariableIsNamedWithThoseThatExist() {
    assertThatThrownBy(() -> read(KEY + "=${faultline.hoem}"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(KEY)
        .hasMessageContaining("${faultline.hoem}")
        .hasMessageContaining("faultline.home");
  }
}
