// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.kernel.DeviceRegistration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a driver's service properties ask for. */
class DevicePropertiesTest {
  private static final Owner OWNER = new Owner("com.example.disk", "1.2.3");

  private static DeviceRegistration read(Map<String, Object> properties) {
    return DeviceProperties.read(properties::get, OWNER);
  }

  @Test
  void aNameAloneIsEnough() {
    assertThat(read(Map.of("device.name", "disk")))
        .isEqualTo(new DeviceRegistration("disk", 0, 0, 1, 2000, "com.example.disk", "1.2.3"));
  }

  @Test
  void integersOfAnyTypeAndTextsAreNumbers() {
    assertThat(
        read(
            Map.of(
                "device.name", "disk", "device.major", 8L, "device.minor", (short) 16,
                "device.count", (byte) 4, "device.timeoutMillis", " 500 ")))
        .isEqualTo(new DeviceRegistration("disk", 8, 16, 4, 500, "com.example.disk", "1.2.3"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0x10", "1.5", "many", "99999999999"})
  void otherTextsAreNot(String text) {
    assertThatThrownBy(() -> read(Map.of("device.name", "disk", "device.major", text)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("device.major: " + text + " is no int; give a decimal number");
  }

  @Test
  void aNumberThatFitsNoIntIsRefused() {
    assertThatThrownBy(() -> read(Map.of("device.name", "disk", "device.minor", 1L << 32)))
        .hasMessageContaining("device.minor: 4294967296");
    assertThatThrownBy(() -> read(Map.of("device.name", "disk", "device.count", 1.0)))
        .hasMessageContaining("device.count: 1.0");
  }

  @Test
  void theModeIsInOctalNotation() {
    assertThat(read(Map.of("device.name", "disk", "device.mode", "0640")).mode()).isEqualTo(0640);
    assertThat(read(Map.of("device.name", "disk", "device.mode", "600")).mode()).isEqualTo(0600);
    assertThat(read(Map.of("device.name", "disk")).mode()).isEqualTo(0666);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "rw-rw-rw-", "0668", "06", "010666"})
  void otherModesAreRefused(String text) {
    assertThatThrownBy(() -> read(Map.of("device.name", "disk", "device.mode", text)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("device.mode: " + text + " is no mode; give a text of octal digits, as 0600");
    assertThatThrownBy(() -> read(Map.of("device.name", "disk", "device.mode", 600)))
        .hasMessageContaining("device.mode: 600");
  }

  @Test
  void aMissingNameSaysHowToGiveOne() {
    assertThatThrownBy(() -> read(Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("device.name: missing")
        .hasMessageContaining("@Device(name = ");
  }

  @Test
  void aNameIsOneText() {
    assertThatThrownBy(() -> read(Map.of("device.name", 7))).hasMessageContaining("7 is no text");
  }
}
