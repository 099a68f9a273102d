// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DriverClassTest {
  @ParameterizedTest
  @CsvSource({
    "hello, Hello, hello, hello",
    "org.acme, Ramdisk, org.acme.ramdisk, ramdisk",
    "org.acme.ramdisk, Ramdisk, org.acme.ramdisk, ramdisk",
    "org.acme.bigramdisk, Ramdisk, org.acme.bigramdisk.ramdisk, ramdisk",
    "org.acme, RamDisk, org.acme.ramdisk, ramdisk",
  })
  void theNamesArePackageAndClassInSmallLetters(
      String packageName, String className, String symbolicName, String moduleName) {
    DriverClass driver = new DriverClass(packageName, className);
    assertThat(driver.symbolicName()).isEqualTo(symbolicName);
    assertThat(driver.moduleName()).isEqualTo(moduleName);
  }
}
