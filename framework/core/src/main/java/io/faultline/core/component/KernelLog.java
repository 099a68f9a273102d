// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.device.DriverLog;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's own messages, {@code printk}: to {@link System.Logger} {@value #NAME}, which needs no
 * bundle to be there.
 */
final class KernelLog implements DriverLog {
  static final String NAME = "io.faultline.core";

  private final Logger logger = System.getLogger(NAME);

  @Override
  public void problem(String message, @Nullable String stackTrace) {
    warning(stackTrace == null ? message : message + System.lineSeparator() + stackTrace);
  }

  void warning(String message) {
    logger.log(Level.WARNING, message);
  }

  void info(String message) {
    logger.log(Level.INFO, message);
  }
}
