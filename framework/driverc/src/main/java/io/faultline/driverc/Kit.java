// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What drivers are compiled against: the folder {@code sdk/} of the distribution.
 *
 * @param jars the API, OSGi's annotations and its framework API; jars or folders of classes
 */
record Kit(List<Path> jars) {
  /**
   * What lies in a folder.
   *
   * @throws ComplaintException when there is no such folder
   */
  static Kit of(Path folder) throws ComplaintException {
    try (Stream<Path> files = Files.list(folder)) {
      return new Kit(files.sorted().toList());
    } catch (IOException e) {
      throw new ComplaintException(
          "cannot read " + folder + ", which came with the distribution: " + e.getMessage());
    }
  }
}
